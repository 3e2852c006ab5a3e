"""Production's settings without what a test has not: collected static files and, beside SQLite, a Redis."""

from config.settings import *  # noqa: F403
from config.settings import CACHES, DATABASES, Q_CLUSTER, STORAGES

STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    Q_CLUSTER = {"name": "erasure", "workers": 1, "timeout": 60, "retry": 120, "orm": "default", "poll": 0.2}
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
