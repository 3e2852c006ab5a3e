"""`manage.py check --deploy --database default` says what is wrong with an installation, and `bootstrap` shows it."""

import shlex
import socket
import subprocess
import time
from datetime import timedelta
from io import StringIO

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from django_q.models import Schedule

from bot.models import Bot, Heartbeat
from bot.operations.check_rules import RULES
from bot.operations.model_check import ModelList
from bot.operations.schedules import PURGE_NAME, ensure_schedules
from bot.tests.support.factories import BotFactory, WhatsAppBotFactory
from config.file_modes import private_files
from config.tests.environment.values import PRODUCTION
from config.tests.test_start_up import run
from usage.prices import forget_prices
from usage.tests.factories import ModelPriceFactory
from users.models import User

pytestmark = pytest.mark.database

PRICED, UNPRICED = "gpt-4o", "llama-of-the-house"
DAY = timedelta(days=1)


def found(databases=("default",)):
    """Return what our checks say, by id."""
    messages = run_checks(include_deployment_checks=True, databases=databases)
    return {message.id: message.msg for message in messages if message.id and message.id.startswith("parley.")}


@pytest.fixture(autouse=True)
def no_files(monkeypatch):
    """Look at no file of this checkout: the test's own database is no secret."""
    monkeypatch.setattr("bot.operations.checks.private_files", lambda *_: [])


@pytest.fixture(autouse=True)
def no_model_server(monkeypatch):
    """Ask no model's server: what it says is tried in test_model_refusals.py."""
    monkeypatch.setattr("bot.operations.checks.list_models", ModelList)


@pytest.fixture
def installed(db, settings):
    """An installation for production with nothing wrong."""
    settings.PUBLIC_URL = "https://parley.example.org"
    ensure_schedules()
    User.objects.create_superuser("+12025550100", "a password")
    return BotFactory.create(slug="demo")


@pytest.fixture
def with_model(installed, settings):
    settings.LLM_PROVIDER = "openai"
    settings.OPENAI_GPT_MODEL = PRICED
    settings.UNPRICED_MICROS_PER_MILLION = 10_000_000


def heartbeat(process, kind="worker", ago=timedelta(0)):
    Heartbeat.objects.create(process=process, kind=kind, seen_at=timezone.now() - ago)


@pytest.mark.usefixtures("installed")
def test_a_fresh_installation_is_clean():
    assert found() == {}


def test_without_its_name_the_database_is_not_asked(django_assert_num_queries, db):
    with django_assert_num_queries(0):
        assert found(databases=None) == {}


def test_ids_are_unique_and_each_says_what_to_do():
    ids = [rule.id for rule in RULES]
    assert len(set(ids)) == len(ids)
    assert all(rule.hint and rule.documented for rule in RULES)


# --- bots ---


@pytest.mark.usefixtures("installed")
def test_an_active_bot_without_what_its_channel_needs_is_an_error():
    bot = WhatsAppBotFactory.create(slug="shop")
    assert found() == {}
    bot.credentials = {"app_secret": "canary", "access_token": ""}
    bot.account_id = ""
    bot.save()
    assert found() == {
        "parley.E004": "Bot 'shop' is active without what WhatsApp (Cloud API) needs: "
        "Access token, Verify token, Phone number ID."
    }
    Bot.objects.update(is_active=False)
    assert found() == {}


@pytest.mark.usefixtures("installed")
def test_credentials_of_another_secret_key_are_an_error_and_a_fallback_repairs_it(settings):
    WhatsAppBotFactory.create(slug="shop")
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another key"
    assert found() == {
        "parley.E003": "The credentials of bot 'shop' were encrypted with another SECRET_KEY: "
        "all its webhooks are refused."
    }
    settings.SECRET_KEY_FALLBACKS = [former]
    assert found() == {}


@pytest.mark.usefixtures("installed")
def test_a_channel_that_does_not_exist_is_an_error():
    BotFactory.create(slug="old", channel="pigeon")
    assert found() == {"parley.E005": "Bot 'old' is active on a channel that does not exist: 'pigeon'."}


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    "url",
    ["http://localhost:3000", "http://parley.example.org", "https://127.0.0.1", "https://10.0.0.5", "https://box"],
)
def test_webhooks_that_no_provider_can_deliver_are_a_warning(settings, url):
    settings.PUBLIC_URL = url
    assert found() == {}  # the console needs no provider
    WhatsAppBotFactory.create(slug="shop")
    assert found() == {"parley.W001": f"PUBLIC_URL is {url}, where no provider can deliver webhooks to shop."}


# --- models ---


@pytest.mark.usefixtures("with_model")
def test_models_with_known_prices_are_clean():
    assert found() == {}


@pytest.mark.parametrize("fields", [{"model": UNPRICED}, {"allowed_models": f"{PRICED}\n{UNPRICED}"}])
@pytest.mark.usefixtures("with_model")
def test_a_bots_model_without_a_price_is_a_warning_until_it_has_one(fields, settings):
    BotFactory.create(**fields)
    assert list(found()) == ["parley.W002"]
    assert UNPRICED in found()["parley.W002"]
    assert PRICED not in found()["parley.W002"]
    settings.UNPRICED_MICROS_PER_MILLION = 0  # it runs at home
    assert found() == {}
    settings.UNPRICED_MICROS_PER_MILLION = 1
    ModelPriceFactory.create(model=UNPRICED)
    forget_prices()
    assert found() == {}


@pytest.mark.usefixtures("with_model")
def test_the_default_model_without_a_price_is_a_warning(settings):
    settings.OPENAI_GPT_MODEL = UNPRICED
    assert list(found()) == ["parley.W002"]
    settings.LLM_PROVIDER = "demo"
    assert found() == {}


# --- people and schedules ---


@pytest.mark.usefixtures("installed")
def test_no_owner_who_can_sign_in_is_a_warning():
    owner = User.objects.get()
    owner.set_unusable_password()
    owner.save()
    assert found() == {"parley.W003": "There is no owner who can sign in."}


@pytest.mark.usefixtures("installed")
def test_a_schedule_that_was_deleted_is_a_warning():
    Schedule.objects.filter(name=PURGE_NAME).delete()
    assert found() == {"parley.W004": f"Scheduled tasks are missing: {PURGE_NAME}."}


# --- processes ---


@pytest.mark.usefixtures("installed")
def test_a_scheduler_that_was_not_seen_for_a_day_is_a_warning():
    heartbeat("one:1:a", "scheduler", ago=DAY + timedelta(minutes=1))
    heartbeat("one:2:b", "worker")
    assert list(found()) == ["parley.W005"]
    heartbeat("one:3:c", "scheduler", ago=DAY - timedelta(minutes=1))
    assert found() == {}


@pytest.mark.usefixtures("installed")
def test_without_any_sign_of_a_scheduler_late_tasks_tell():
    Schedule.objects.update(next_run=timezone.now() - DAY + timedelta(minutes=1))
    assert found() == {}
    Schedule.objects.filter(name=PURGE_NAME).update(next_run=timezone.now() - DAY - timedelta(minutes=1))
    assert list(found()) == ["parley.W005"]


@pytest.mark.usefixtures("installed")
def test_sqlite_on_several_hosts_is_a_warning():
    heartbeat("one:1:a")
    heartbeat("one:2:b", "scheduler")
    heartbeat("two:1:c", ago=timedelta(minutes=11))
    assert found() == {}
    heartbeat("three:1:d", ago=timedelta(minutes=9))
    expected = {"parley.W006": "Processes on several hosts use SQLite: one, three."}
    assert found() == (expected if connection.vendor == "sqlite" else {})


# --- settings ---


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o666, 0o660])
@pytest.mark.parametrize("ending", ["", "-wal", "-shm", "-journal", "/.env"])
def test_a_file_with_data_or_secrets_that_others_can_read_is_named_with_what_mends_it(
    monkeypatch, tmp_path, ending, mode
):
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "a db.sqlite3")}
    monkeypatch.setattr(
        "bot.operations.checks.private_files", lambda _database, _base: private_files(database, tmp_path)
    )
    names = ["a db.sqlite3", "a db.sqlite3-wal", "a db.sqlite3-shm", "a db.sqlite3-journal", ".env"]
    for name in names:
        (tmp_path / name).touch(0o600)
    assert found(databases=None) == {}

    path = tmp_path / (".env" if ending == "/.env" else f"a db.sqlite3{ending}")
    path.chmod(mode)
    (said,) = found(databases=None).items()
    command = f"chmod 600 {shlex.quote(str(path))}"
    assert said == ("parley.W012", f"Other users of this machine can read data or secrets. Mend it with: {command}")
    subprocess.run(command, shell=True, check=True)  # noqa: S602 (as an operator pastes it)
    assert found(databases=None) == {}


def test_with_postgresql_only_the_dotenv_file_is_looked_at(monkeypatch, tmp_path):
    database = {"ENGINE": "config.db.postgresql", "NAME": str(tmp_path / "parley")}
    monkeypatch.setattr(
        "bot.operations.checks.private_files", lambda _database, _base: private_files(database, tmp_path)
    )
    (tmp_path / "parley").touch()
    (tmp_path / "parley").chmod(0o644)
    assert found(databases=None) == {}
    (tmp_path / ".env").touch()
    (tmp_path / ".env").chmod(0o644)
    assert list(found(databases=None)) == ["parley.W012"]


@pytest.mark.parametrize(
    ("changed", "ids"),
    [
        ({"OPENAI_BASE_URL": "http://models.example.org/v1", "OPENAI_API_KEY": "sk-canary"}, ["parley.W007"]),
        ({"OPENAI_BASE_URL": "http://1.1.1.1/v1", "OPENAI_API_KEY": "sk-canary"}, ["parley.W007"]),
        ({"OPENAI_BASE_URL": "http://models.example.org/v1", "OPENAI_API_KEY": ""}, []),
        ({"OPENAI_BASE_URL": "http://ollama:11434/v1", "OPENAI_API_KEY": "sk-canary"}, []),
        ({"OPENAI_BASE_URL": "http://192.168.1.5/v1", "OPENAI_API_KEY": "sk-canary"}, []),
        ({"OPENAI_BASE_URL": "http://[::1]:8080/v1", "OPENAI_API_KEY": "sk-canary"}, []),
        ({"WHATSAPP_API_URL": "http://graph.example.org/v26.0"}, ["parley.W007"]),
        ({"METRICS_TOKEN": "t" * 19}, ["parley.W008"]),
        ({"METRICS_TOKEN": "t" * 20}, []),
        ({"DEBUG": True, "PUBLIC_URL": "https://abc.tunnel.example"}, ["parley.W013"]),
        ({"DEBUG": True, "PUBLIC_URL": "http://192.168.1.5:3000"}, ["parley.W013"]),
        ({"DEBUG": True, "PUBLIC_URL": "http://localhost:3000"}, []),
        ({"DEBUG": False, "PUBLIC_URL": "https://parley.example.org"}, []),
    ],
)
def test_settings_are_checked_without_a_database(settings, changed, ids):
    for name, value in changed.items():
        setattr(settings, name, value)
    messages = found(databases=None)
    assert list(messages) == ids
    assert "canary" not in str(messages)


# --- a database that cannot be checked ---


@pytest.mark.usefixtures("installed")
def test_migrations_that_are_not_applied_are_told_and_nothing_else_is_read():
    BotFactory.create(channel="pigeon")
    MigrationRecorder.Migration.objects.filter(app="bot").order_by("-id")[0].delete()
    assert found() == {"parley.E002": "Migrations are not applied (bot): nothing in the database was checked."}


@pytest.mark.usefixtures("installed")
def test_a_bots_error_does_not_keep_migrate_from_running():
    BotFactory.create(channel="pigeon")
    call_command("migrate", verbosity=0, skip_checks=False)
    with pytest.raises(CommandError, match=r"parley\.E005"):
        call_command("check", deploy=True, databases=["default"])


@pytest.mark.smoke
@pytest.mark.processes
def test_a_database_that_is_away_or_empty_is_told_without_a_traceback(tmp_path):
    command = ("manage.py", "check", "--deploy", "--database", "default")
    production = PRODUCTION | {"DAILY_BUDGET_USD": "25"}
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and never says a word
        hanging = f"postgres://u:canary@127.0.0.1:{silent.getsockname()[1]}/parley"
        began = time.monotonic()
        hung = run(*command, **production | {"DATABASE_URL": hanging})
        assert time.monotonic() - began < 30
    away = run(*command, **production | {"DATABASE_URL": "postgres://u:canary@127.0.0.1:1/parley"})
    empty = {"DATABASE_URL": f"sqlite:///{tmp_path / 'new.sqlite3'}", "ALLOW_SQLITE": "true"}
    for ended, said in ((hung, "E001"), (away, "E001"), (run(*command, **production | empty), "E002")):
        assert ended.returncode == 1
        assert f"(parley.{said})" in ended.stderr
        assert "1 issue" in ended.stderr
        assert "Traceback" not in ended.stderr
        assert "canary" not in ended.stderr


# --- budgets ---


@pytest.fixture
def paid(with_model, settings):
    """A model that costs, in production, without any budget."""
    settings.PRODUCTION = True


@pytest.mark.usefixtures("paid")
def test_a_model_that_costs_without_a_daily_budget_is_a_warning_that_names_the_variable():
    assert found(None) == {"parley.W014": "No daily budget is set: nothing bounds what the model's answers cost."}
    (rule,) = (rule for rule in RULES if rule.id == "parley.W014")
    assert "DAILY_BUDGET_USD" in rule.hint


@pytest.mark.usefixtures("paid")
@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("DAILY_BUDGET_MICROS", 0),
        ("USER_DAILY_BUDGET_MICROS", 1),
        ("LLM_PROVIDER", "demo"),
        ("OPENAI_BASE_URL", "http://127.0.0.1:8080/v1"),
        ("OPENAI_BASE_URL", "http://gpu.lan/v1"),
        ("PRODUCTION", False),
    ],
)
def test_a_budget_a_model_at_home_and_development_need_no_warning(settings, setting, value):
    setattr(settings, setting, value)
    assert found(None) == {}


# --- who loads and who shows them ---


@pytest.mark.processes
@pytest.mark.parametrize("module", ["config.wsgi", "bot.management.commands.runworker"])
def test_webhooks_and_workers_do_not_load_the_checks(module):
    code = f"import sys, django; django.setup(); import {module}; sys.exit('bot.operations.checks' in sys.modules)"
    ended = run("-c", code, ENVIRONMENT="test", DJANGO_SETTINGS_MODULE="config.settings")
    assert ended.returncode == 0, ended.stderr


@pytest.mark.django_db
def test_bootstrap_shows_what_is_wrong(settings):
    settings.ENVIRONMENT = "production"
    BotFactory.create(slug="old", channel="pigeon")
    settings.SILENCED_SYSTEM_CHECKS = ["parley.W004"]
    out = StringIO()
    call_command("bootstrap", stdout=out)
    assert "(parley.E005) Bot 'old' is active on a channel" in out.getvalue()
    assert "(parley.W003) There is no owner" in out.getvalue()
    settings.SILENCED_SYSTEM_CHECKS = ["parley.W003"]
    out = StringIO()
    call_command("bootstrap", stdout=out)
    assert "parley.W003" not in out.getvalue()
