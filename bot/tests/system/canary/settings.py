"""Production's settings with faults that hold canaries. No Redis: the scheduler takes its tasks from the database."""

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS, STORAGES

INSTALLED_APPS = [*INSTALLED_APPS, "bot.tests.system.canary.apps.CanaryFaults"]
Q_CLUSTER = {"name": "canary", "workers": 1, "timeout": 60, "retry": 120, "orm": "default", "poll": 0.2}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
# (Nobody collects static files for a test.)
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
