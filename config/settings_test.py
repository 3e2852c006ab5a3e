"""The settings under pytest: those of ENVIRONMENT=test, without a .env file. DATABASE_URL and REDIS_URL still count."""

import os
import tempfile
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

os.environ["ENVIRONMENT"] = "test"
# Each of pytest-xdist's processes has a Redis database of its own, as it has a database: people of two databases have
# the same ids, and would share their rate limits.
if os.environ.get("REDIS_URL") and (_process := os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")):
    _redis = urlsplit(os.environ["REDIS_URL"])
    os.environ["REDIS_URL"] = urlunsplit(
        _redis._replace(path=f"/{int(_redis.path.strip('/') or 0) + int(_process) + 1}")
    )
# No test may reach a provider that the developer's shell happens to have a key for.
os.environ["LLM_PROVIDER"] = "demo"

from config.settings import *  # noqa: F403
from config.settings import DATABASES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# A file, because an in-memory database is not for several threads; of its own for each run.
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {"NAME": Path(tempfile.gettempdir()) / f"parley-test-{os.getpid()}.sqlite3"}
