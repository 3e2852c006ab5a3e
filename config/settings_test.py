"""The settings under pytest: those of ENVIRONMENT=test, without a .env file. DATABASE_URL and REDIS_URL still count."""

import os
import tempfile
from pathlib import Path

os.environ["ENVIRONMENT"] = "test"
# No test may reach a provider that the developer's shell happens to have a key for.
os.environ["LLM_PROVIDER"] = "demo"

from config.settings import *  # noqa: F403
from config.settings import DATABASES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# A file, because an in-memory database is not for several threads; of its own for each run.
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {"NAME": Path(tempfile.gettempdir()) / f"parley-test-{os.getpid()}.sqlite3"}
