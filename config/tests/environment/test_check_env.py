"""`manage.py check_env`: everything that is wrong, or every variable, where it comes from, and what is doubtful."""

import re

import pytest

from bot.operations.reference import TEN_FAULTS
from bot.tests.operations.test_reference import MANUAL
from config.environment.check_env import report, warnings
from config.environment.dotenv import read_dotenv
from config.environment.read import DOTENV_IGNORED, Sources, checked, find_sources
from config.environment.variables import VARIABLES
from config.tests.environment.values import PRODUCTION
from config.tests.test_start_up import BASE, free_port, run

TEN_PROBLEMS = re.search(r"```\n(The environment has 10 problems:\n.*?)```", MANUAL, re.DOTALL)


def shown(base=BASE, **environment):
    """Return what is reported of an environment, by variable: (origin, value)."""
    sources = find_sources(environment, base)
    lines = report(sources, checked(sources, base), base).splitlines()
    found = [line.split(maxsplit=2) for line in lines if re.match(r"  [A-Z]", line)]
    return {name: (origin, value) for name, origin, value in found}


def doubts(base=BASE, **environment):
    sources = find_sources(environment, base)
    return warnings(sources, checked(sources, base), base)


def test_every_variable_is_shown_once_in_the_order_of_its_declaration():
    assert list(shown()) == [variable.name for variable in VARIABLES]


def test_each_value_is_shown_with_where_it_comes_from(tmp_path):
    (tmp_path / "key").write_text("canary")
    (tmp_path / ".env").write_text("PORT=3100\nLOG_LEVEL=debug\nTIME_ZONE=\n")
    found = shown(tmp_path, PORT="3200", SECRET_KEY_FILE=str(tmp_path / "key"), ALLOWED_HOSTS="a.example, b.example")
    assert found["PORT"] == ("environment", "3200")
    assert found["LOG_LEVEL"] == (".env", "DEBUG")
    assert found["TIME_ZONE"] == ("default", "UTC")
    assert found["SECRET_KEY"] == ("SECRET_KEY_FILE", "set")
    assert found["ALLOWED_HOSTS"] == ("environment", "a.example,b.example")
    assert found["ALLOW_SQLITE"] == ("default", "false")
    assert found["PUBLIC_URL"] == ("default", "http://localhost:3200")
    assert found["DATABASE_URL"] == ("default", f"sqlite:///{tmp_path / 'db.sqlite3'}")
    assert found["OPENAI_API_KEY"] == ("default", "not set")


def test_no_secret_is_shown_and_addresses_are_shown_without_their_passwords():
    dsn = {"SENTRY_DSN": "https://canary@o1.ingest.sentry.io/1", "SECRET_KEY_FALLBACKS": "canary"}
    found = shown(**PRODUCTION, **dsn, METRICS_TOKEN="canary", WHATSAPP_API_URL="https://u:canary@proxy.example/v26.0")
    assert "canary" not in str(found)
    assert found["DATABASE_URL"] == ("environment", "postgres://[credentials]@db:5432/parley")
    assert found["REDIS_URL"] == ("environment", "redis://[credentials]@cache:6379/0")
    assert {found[name][1] for name in ("SECRET_KEY", "OPENAI_API_KEY", "METRICS_TOKEN", "SENTRY_DSN")} == {"set"}


def test_dotenv_that_was_read_into_the_environment_already_is_named_as_the_source(tmp_path):
    (tmp_path / ".env").write_text("PORT=3100\n")
    sources = Sources({"PORT": "3100"}, read_dotenv(tmp_path / ".env"), dotenv_ignored=False)
    assert re.search(r"PORT +\.env +3100", report(sources, checked(sources, tmp_path), tmp_path))
    assert warnings(sources, checked(sources, tmp_path), tmp_path) == []


@pytest.mark.parametrize(
    ("environment", "warning"),
    [
        ({"OPENAI_APIKEY": "sk-canary"}, "OPENAI_APIKEY is set, but nothing reads it: did you mean OPENAI_API_KEY?"),
        ({"DATABSE_URL": "canary"}, "DATABSE_URL is set, but nothing reads it: did you mean DATABASE_URL?"),
        ({"SECRETKEY_FILE": "/canary"}, "SECRETKEY_FILE is set, but nothing reads it: did you mean SECRET_KEY_FILE?"),
        ({"log_level": "INFO"}, "log_level is set, but nothing reads it: did you mean LOG_LEVEL?"),
        (
            {"OPENAI_GPT_MODEL": "'canary'"},
            "OPENAI_GPT_MODEL has quotes around its value, which are part of it: leave them out",
        ),
        ({"PORT": "3100 "}, "PORT has white space around its value, which is dropped"),
    ],
)
def test_what_is_valid_and_not_meant_is_a_warning(environment, warning):
    assert doubts(**environment) == [warning]


def test_variables_of_other_programs_are_nobodys_typing_error():
    others = (
        "PATH HOME LANG LANGUAGE LC_ALL TZ USER SHELL PWD HOSTNAME DEBUG HTTP_PROXY NO_PROXY PGHOST PGPORT "
        "POSTGRES_PASSWORD REDIS_HOST CI_REDIS_PORT OPENAI_ORG_ID DJANGO_SETTINGS_MODULE SENTRY_ENVIRONMENT PYTHONPATH"
    )
    assert doubts(**dict.fromkeys(others.split(), "x")) == []


def test_a_variable_set_twice_with_different_values_is_a_warning(tmp_path):
    (tmp_path / ".env").write_text("PORT=3100\nLOG_LEVEL=INFO\n")
    assert doubts(tmp_path, PORT="3200", LOG_LEVEL="INFO") == [
        "PORT is set in the environment and in .env: the environment's value counts"
    ]


def test_a_dotenv_file_with_secrets_that_everybody_may_read_is_a_warning(tmp_path):
    dotenv = tmp_path / ".env"
    dotenv.write_text("SECRET_KEY=canary\n")
    dotenv.chmod(0o644)
    assert doubts(tmp_path) == [".env holds secrets and can be read by everybody on this machine: chmod 600 .env"]
    dotenv.chmod(0o640)
    assert doubts(tmp_path) == []


def test_a_dotenv_file_that_is_not_read_is_a_warning(tmp_path):
    (tmp_path / ".env").write_text("PORT=3100\n")
    (warning,) = doubts(tmp_path, **PRODUCTION)
    assert warning.startswith(".env is not read")


@pytest.mark.parametrize(
    ("hosts", "warning"),
    [
        ("*", "ALLOWED_HOSTS accepts every host name"),
        ("other.example.org", "PUBLIC_URL names parley.example.org, which ALLOWED_HOSTS does not accept"),
        (".example.org", None),
        ("parley.example.org", None),
    ],
)
def test_production_warns_of_hosts_that_do_not_fit(tmp_path, hosts, warning):
    found = doubts(tmp_path, **PRODUCTION | {"ALLOWED_HOSTS": hosts})
    assert [doubt.startswith(warning or "none") for doubt in found] == ([True] if warning else [])


@pytest.mark.processes
def test_a_good_environment_is_listed_and_no_database_is_asked():
    ended = run("manage.py", "check_env", **PRODUCTION | {"DATABASE_URL": "postgres://u:canary@db.invalid/parley"})
    assert (ended.returncode, ended.stderr) == (0, "")
    assert re.search(r"DATABASE_URL +environment +postgres://\[credentials\]@db\.invalid/parley\n", ended.stdout)
    assert "The environment is valid for production, with " in ended.stdout
    assert "canary" not in ended.stdout


@pytest.mark.processes
def test_an_environment_for_development_is_told_what_production_would_want():
    development = {"ENVIRONMENT": "development", "LOG_LEVEL": "LOUD"}
    ended = run("manage.py", "check_env", "--production", **development)
    assert (ended.returncode, ended.stdout) == (1, "")
    named = [line.split()[1] for line in ended.stderr.splitlines() if line.startswith("  - ")]
    assert {"LOG_LEVEL", "SECRET_KEY", "DATABASE_URL", "REDIS_URL", "ALLOWED_HOSTS", "PUBLIC_URL"} <= set(named)
    assert "Traceback" not in ended.stderr
    good = run("manage.py", "check_env", "--production", **PRODUCTION | {"ENVIRONMENT": "test"})
    assert (good.returncode, good.stderr) == (0, "")


@pytest.mark.processes
def test_it_is_listed_and_explained_among_the_commands():
    assert "    check_env\n" in run("manage.py", "help", ENVIRONMENT="test").stdout
    assert "--production" in run("manage.py", "help", "check_env", ENVIRONMENT="test").stdout
    direct = run("-m", "django", "check_env", ENVIRONMENT="test", DJANGO_SETTINGS_MODULE="config.settings")
    assert (direct.returncode, "valid for test" in direct.stdout) == (0, True), direct.stderr


@pytest.mark.processes
@pytest.mark.parametrize(
    "command",
    [
        ("manage.py", "check_env"),
        ("manage.py", "runworker"),
        ("manage.py", "qcluster"),
        ("-m", "granian", "--interface", "wsgi", "--port", "FREE", "config.wsgi:application"),
        ("-m", "config.start"),
    ],
    ids=lambda command: command[1],
)
def test_ten_faults_are_told_at_once_as_the_manual_shows(command):
    assert TEN_PROBLEMS is not None
    ended = run(*(free_port() if word == "FREE" else word for word in command), **TEN_FAULTS)
    # A developer's checkout may have a .env.
    written = ended.stderr.replace(f"{DOTENV_IGNORED}\n", "")
    assert ended.returncode == 1
    if command[1] == "granian":
        assert TEN_PROBLEMS[1] in ended.stdout + written
        assert "Traceback" not in ended.stdout + written
    else:
        assert (ended.stdout, written) == ("", TEN_PROBLEMS[1])


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://ollama:11434", ["OPENAI_BASE_URL names a host without a path: /v1 is added to it"]),
        ("https://a.openai.azure.com/", ["OPENAI_BASE_URL names a host without a path: /openai/v1 is added to it"]),
        ("http://ollama:11434/v1/", []),
        ("https://api.perplexity.ai", []),
    ],
)
def test_a_path_that_is_added_to_the_address_of_a_models_server_is_told(url, said):
    assert doubts(OPENAI_BASE_URL=url) == said
    assert shown(OPENAI_BASE_URL=url)["OPENAI_BASE_URL"][1].startswith(url.rstrip("/"))
