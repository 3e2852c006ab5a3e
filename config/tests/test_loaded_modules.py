"""No process loads what it does not use: each is started in a fresh interpreter, and its modules are looked through."""

import subprocess
import sys
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import pytest

from config.tests.bare import bare_environment

BASE = Path(__file__).resolve().parents[2]
SETUP = "import django; django.setup()\n"
# As `manage.py <name>` begins: with the command's system checks, if it has any, and without its work.
COMMAND = f"""{SETUP}
from django.core.management import load_command_class
command = load_command_class("bot", "%s")
type(command).handle = lambda *args, **options: None
command.run_from_argv(["manage.py", "%s"])
"""
TELL = "\nimport sys; print(*sys.modules)"

PAGES = (
    *(
        "config.urls",
        "bot.admin",
        "bot.admin.dashboard",
        "bot.simulator.views",
        "bot.simulator.urls",
        "bot.operations.checks",
    ),
    *(
        "users.admin.people",
        "users.admin.forms",
        "users.login.throttle",
        "usage.admin",
        "usage.reporting",
        "conversations.admin",
    ),
    *("unfold.sites", "unfold.admin", "unfold.forms", "django.contrib.admin.forms", "django.contrib.auth.forms"),
    *("django.contrib.auth.admin", "django.contrib.postgres", "django.template.loaders", "whitenoise.middleware"),
    "segno",
)
OPENAI = ("bot.ai.openai", "openai", "httpx2", "pydantic")
# What the whole installation may do without: prices are looked up after a call, Markdown is parsed when there is some,
# errors are reported with SENTRY_DSN.
RARE = (
    "genai_prices",
    "markdown_it",
    "sentry_sdk",
    "bot.monitoring.metrics.exposition",
    "bot.dev.demo",
    "bot.dev.standins",
)
TESTS = ("pytest", "hypothesis", "babel", "factory", "selenium", "honcho")
EVERYWHERE = (*RARE, *TESTS)
# The clients of stores that these tests' installation does not have, and what comes with them.
STORES = ("redis", "psycopg", "django.db.backends.postgresql")
CALLERS = ("aiohttp", "limits", "cryptography", "health_check", "dns")
WORK = ("bot.worker.worker", "bot.pipeline.runner", "bot.worker.delivery")
SCHEDULES = ("bot.operations.schedules", "bot.privacy.retention", "django_q.cluster", "django_q.tasks")


@dataclass(frozen=True)
class Process:
    """A process: how it begins, in which environment, and which packages and modules it has no use for."""

    begins: str
    unused: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)


ALL_STORES = {"DATABASE_URL": "postgres://u:p@192.0.2.1/n", "REDIS_URL": "redis://192.0.2.1:6379/0"}
WITH_MODEL = {"LLM_PROVIDER": "openai", "OPENAI_API_KEY": "sk-none"}
FRONT = f"{SETUP}import bot.webhooks, bot.monitoring.health, bot.urls, bot.web.error_pages, bot.web.middleware"
WORKER, SCHEDULER = COMMAND % ("runworker", "runworker"), COMMAND % ("qcluster", "qcluster")
MODEL = "\nfrom bot.ai import create_model; create_model('%s')"
PROCESSES = {
    "setup": Process(SETUP, (*PAGES, *OPENAI, *EVERYWHERE, *STORES, *CALLERS, *WORK, *SCHEDULES)),
    "front": Process(FRONT, (*PAGES, *OPENAI, *EVERYWHERE, *STORES, *CALLERS, *WORK, *SCHEDULES)),
    "front with all stores": Process(
        FRONT, (*PAGES, *OPENAI, *EVERYWHERE, "redis", *CALLERS, *WORK, *SCHEDULES), ALL_STORES | WITH_MODEL
    ),
    "worker": Process(
        WORKER + MODEL % "demo", (*PAGES, *OPENAI, *EVERYWHERE, *STORES, "limits", "health_check", "dns", *SCHEDULES)
    ),
    "worker with a model": Process(
        WORKER + MODEL % "openai",
        (*PAGES, *EVERYWHERE, *STORES, "limits", "health_check", "dns", "openai.resources", *SCHEDULES),
        WITH_MODEL,
    ),
    "scheduler": Process(
        f"{SCHEDULER}\nimport bot.operations.schedules",
        (*PAGES, *OPENAI, *EVERYWHERE, *STORES, *CALLERS, *WORK),
        WITH_MODEL,
    ),
    "pages": Process(
        "import config.wsgi",
        # (psycopg: django-unfold looks for fields of PostgreSQL.)
        (*OPENAI, *EVERYWHERE, "redis", "aiohttp", "cryptography", "health_check", "segno", *WORK),
        WITH_MODEL,
    ),
}


def loaded_by(code: str, **variables: str) -> set[str]:
    """Return the modules that a fresh interpreter has loaded after some code."""
    given = {"ENVIRONMENT": "test", "DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONPATH": str(BASE), **variables}
    ended = subprocess.run(
        [sys.executable, "-c", code + TELL],
        cwd=BASE,
        env=bare_environment(**given),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return set(ended.stdout.split())


@pytest.mark.processes
@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_loads_nothing_that_it_does_not_use(name):
    process = PROCESSES[name]
    loaded = loaded_by(process.begins, **process.environment)
    assert loaded & set(process.unused) == set()


def test_every_name_in_the_lists_is_that_of_a_module():
    named = {module for process in PROCESSES.values() for module in process.unused}
    # (Those for development need not be installed.)
    gone = {module for module in named - set(TESTS) if find_spec(module) is None}
    assert not gone, "renamed or removed: the lists must follow"


@pytest.mark.processes
@pytest.mark.parametrize(
    "code",
    [
        "import config.urls",
        "from django.core.checks import Tags, run_checks; run_checks(tags=[Tags.admin])",
        "from django.urls import reverse; reverse('admin:bot_bot_changelist')",
    ],
    ids=["urls", "checks", "reverse"],
)
def test_pages_are_found_where_they_are_needed(code):
    registered = "from django.contrib import admin; from bot.models import Bot; assert admin.site.is_registered(Bot)"
    assert {"bot.admin", "unfold.sites"} <= loaded_by(f"{SETUP}{code}\n{registered}")


@pytest.mark.processes
def test_no_check_of_readiness_imports_a_library_while_its_time_runs():
    code = f"""{SETUP}
import asyncio, sys
from bot.monitoring.health import readiness
before = set()
def load(of=readiness._loaded_checks):
    checks = of()
    before.update(sys.modules)
    return checks
readiness._loaded_checks = load
found = asyncio.run(readiness.run_checks())
assert found.failed == ["db", "redis", "openai"], found
late = {{name.partition(".")[0] for name in set(sys.modules) - before}}
assert not late & {{"aiohttp", "redis", "psycopg", "health_check", "openai"}}, late
"""
    # (Nothing listens at port 1: every check ends at once.)
    stores = {"DATABASE_URL": "postgres://u:p@127.0.0.1:1/n", "REDIS_URL": "redis://127.0.0.1:1/0"}
    model = {"LLM_PROVIDER": "openai", "OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}
    assert {"aiohttp", "redis", "psycopg"} <= loaded_by(code, **stores, **model)
