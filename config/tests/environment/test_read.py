"""What Parley makes of its environment, and how it says what is wrong with it."""

import os
from pathlib import Path

import pytest

from config.environment.casts import micros, model_url
from config.environment.dotenv import Dotenv, read_dotenv
from config.environment.explain import EnvironmentProblems
from config.environment.read import DOTENV_IGNORED, TEST_SECRET_KEY, load_environment, validate
from config.environment.variables import VARIABLES

BASE = Path(__file__).resolve().parents[3]
PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "zX8q3vN1mK5rT7wB2yD4fG6hJ9lP0sA1cV3bN5mQ7wE9rT2yU4iO",
    "ALLOWED_HOSTS": "parley.example.org",
    "PUBLIC_URL": "https://parley.example.org/",
    "DATABASE_URL": "postgres://parley:canary@db:5432/parley",
    "REDIS_URL": "redis://:canary@cache:6379/0",
    "OPENAI_API_KEY": "sk-canary",
}


def problems_of(**environment: str) -> list[str]:
    return validate(environment, BASE)[1]


def production_problems(**changed: str) -> list[str]:
    return validate(PRODUCTION | changed, BASE)[1]


def test_an_empty_environment_is_one_for_development():
    values, problems = validate({}, BASE)
    assert problems == []
    assert (values["ENVIRONMENT"], values["LLM_PROVIDER"], values["PORT"]) == ("development", "demo", 3000)
    assert values["DATABASE_URL"]["NAME"] == str(BASE / "db.sqlite3")
    assert values["PUBLIC_URL"] == "http://localhost:3000"
    assert values["CONVERSATION_TTL_DAYS"] == 7
    assert values["OPENAI_GPT_MODEL"] == "gpt-6-luna"


def test_budgets_are_read_in_dollars_and_kept_in_micro_dollars():
    names = ("DAILY_BUDGET_USD", "USER_DAILY_BUDGET_USD", "UNPRICED_COST_USD_PER_MILLION")
    unset, _ = validate({}, BASE)
    assert [micros(unset[name]) for name in names] == [None, None, 10_000_000]
    given, problems = validate(dict(zip(names, (" 12.50 ", "0", "0.000001"), strict=True)), BASE)
    assert problems == []
    assert [micros(given[name]) for name in names] == [12_500_000, 0, 1]


def test_a_full_production_environment_is_accepted():
    values, problems = validate(PRODUCTION, BASE)
    assert problems == []
    assert values["LLM_PROVIDER"] == "openai"
    assert values["PUBLIC_URL"] == "https://parley.example.org"
    assert values["DATABASE_URL"]["HOST"] == "db"


def test_production_says_everything_it_lacks_at_once():
    named = [problem.split(" ")[0] for problem in problems_of(ENVIRONMENT="production")]
    assert named == ["OPENAI_API_KEY", "SECRET_KEY", "DATABASE_URL", "REDIS_URL", "ALLOWED_HOSTS", "PUBLIC_URL"]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("ENVIRONMENT", "prod", "must be one of development, production, test (found 'prod')"),
        ("PORT", "web", "must be a whole number from 1 to 65535 (found 'web')"),
        ("PORT", "70000", "must be a whole number from 1 to 65535 (found '70000')"),
        (
            "DAILY_BUDGET_USD",
            "$5",
            "must be an amount of dollars such as 25 or 0.50, with at most 6 decimals (found '$5')",
        ),
        ("DAILY_BUDGET_USD", "1,000", "must be an amount of dollars such as 25 or 0.50"),
        ("DAILY_BUDGET_USD", "NaN", "must be an amount of dollars"),
        ("USER_DAILY_BUDGET_USD", "-1", "must be an amount of dollars"),
        ("USER_DAILY_BUDGET_USD", "0.0000001", "must be an amount of dollars"),
        ("UNPRICED_COST_USD_PER_MILLION", "1e9", "must be an amount of dollars"),
        ("ALLOW_SQLITE", "yes please", "must be true or false (found 'yes please')"),
        ("ALLOWED_HOSTS", "https://a.example", "must be host names such as parley.example.org, without scheme, "),
        ("ALLOWED_HOSTS", "a.example:3000", "must be host names"),
        ("PUBLIC_URL", "parley.example.org", "must be http:// or https:// and a host, without a path"),
        ("PUBLIC_URL", "https://parley.example.org/path", "must be http:// or https:// and a host, without a path"),
        ("TIME_ZONE", "Mars/Olympus", "must be a time zone such as UTC or Europe/Berlin (found 'Mars/Olympus')"),
        ("TIME_ZONE", "../../etc/passwd", "must be a time zone"),
        ("PHONE_DEFAULT_REGION", "UK", "must be the two letters of a country, such as DE or GB (found 'UK')"),
        ("REDIS_URL", "cache:6379", "must be a URL that starts with redis:// or rediss:// and names a host"),
        ("REDIS_URL", "redis://cache:port/0", "must be a URL that starts with redis:// or rediss://"),
        ("OPENAI_BASE_URL", "ftp://x", "must be a URL that starts with http:// or https:// and names a host"),
        ("OPENAI_BASE_URL", "http://", "must be a URL that starts with http:// or https:// and names a host"),
        ("OPENAI_BASE_URL", "api.openai.com/v1", "must be a URL that starts with http:// or https:// and names a host"),
        ("OPENAI_BASE_URL", "ollama:11434/v1", "must be a URL that starts with http:// or https:// and names a host"),
        ("OPENAI_BASE_URL", "http://vllm:8000/v1/chat/completions", "must end before /chat/completions, which is"),
        ("OPENAI_BASE_URL", "http://vllm:8000/v1/chat/completions/", "must end before /chat/completions, which is"),
        ("OPENAI_BASE_URL", "https://api.openai.com/v1/responses", "must end before /chat/completions, which is"),
        ("OPENAI_BASE_URL", "https://a.openai.azure.com/openai/v1?api-version=1", "must have no ? and no #"),
        ("OPENAI_BASE_URL", "https://gateway.example/v1?", "must have no ? and no #"),
        ("OPENAI_BASE_URL", "https://gateway.example/v1#chat", "must have no ? and no #"),
        ("OPENAI_BASE_URL", "https://a.openai.azure.com/openai/deployments/d", "must be Azure's newer address"),
        ("LLM_PROVIDER", "gpt", "must be one of openai, demo (found 'gpt')"),
        ("LOG_LEVEL", "LOUD", "must be one of DEBUG, INFO, WARNING, ERROR (found 'LOUD')"),
        ("SENTRY_DSN", "https://sentry.io/1", "must be a Sentry DSN such as https://key@o1.ingest.sentry.io/1"),
        ("DATABASE_URL", "notaurl", "must be a URL such as postgres://user:password@host:5432/name"),
        ("DATABASE_URL", "mysql://u:p@h/n", "must be a URL such as postgres://user:password@host:5432/name"),
        ("DATABASE_URL", "postgres://u:p@h:port/n", "must be a URL such as postgres://user:password@host:5432/name"),
        ("DATABASE_URL", "postgres://u:p@h:5432/", "must be a URL such as postgres://user:password@host:5432/name"),
        ("DATABASE_URL", "sqlite://data/db.sqlite3", "must have three slashes and a path: sqlite:///path/to/file"),
        ("DATABASE_URL", "sqlite://", "names a database in memory, which web, worker and scheduler cannot share"),
        ("DATABASE_URL", "sqlite:///:memory:", "names a database in memory"),
        ("OPENAI_API_KEY", "canary", "must start with sk- (unless OPENAI_BASE_URL points to another server)"),
        ("MAX_MODEL_TOKENS", "1", "must be a whole number from 256 to 2000000 (found '1')"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(name, value, expected):
    (problem,) = problems_of(**{name: value})
    assert problem.startswith(f"{name} {expected}")


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("http://ollama:11434", "http://ollama:11434/v1"),
        (" http://ollama:11434/ ", "http://ollama:11434/v1"),
        ("http://vllm:8000/v1/  ", "http://vllm:8000/v1"),
        ("https://gateway.example/llm", "https://gateway.example/llm"),
        ("https://a.openai.azure.com", "https://a.openai.azure.com/openai/v1"),
        ("https://a.services.ai.azure.com/", "https://a.services.ai.azure.com/openai/v1"),
        ("https://api.groq.com", "https://api.groq.com/openai/v1"),
        ("https://api.perplexity.ai", "https://api.perplexity.ai"),
        ("https://models.inference.ai.azure.com", "https://models.inference.ai.azure.com"),
        ("https://not-api.groq.com.example", "https://not-api.groq.com.example/v1"),
    ],
)
def test_the_address_of_a_models_server_is_completed_where_it_is_a_host_only(given, used):
    assert model_url(given) == used


def test_every_wrong_value_is_listed_at_once():
    problems = problems_of(PORT="x", LOG_LEVEL="x", DATABASE_URL="x", TIME_ZONE="x")
    assert [problem.split(" ")[0] for problem in problems] == ["PORT", "TIME_ZONE", "DATABASE_URL", "LOG_LEVEL"]


@pytest.mark.parametrize("variable", [variable for variable in VARIABLES if variable.secret], ids=lambda v: v.name)
@pytest.mark.parametrize("value", ["canary", "canary://canary:canary@canary:canary/canary", "sk_canary"])
@pytest.mark.parametrize("environment", ["development", "production"])
def test_a_secret_is_never_shown(variable, value, environment):
    assert "canary" not in "\n".join(problems_of(**{"ENVIRONMENT": environment, variable.name: value}))


@pytest.mark.parametrize("name", ["LLM_PROVIDER", "PORT", "OPENAI_BASE_URL"])
def test_a_key_in_the_wrong_variable_is_not_shown_either(name):
    (problem, *_) = problems_of(**{name: "sk-canary-0123"})
    assert "canary" not in problem


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"SECRET_KEY": "short"}, "SECRET_KEY must be at least 50 random characters in production"),
        ({"SECRET_KEY": "a" * 60}, "SECRET_KEY must be at least 50 random characters in production"),
        ({"SECRET_KEY": TEST_SECRET_KEY}, "SECRET_KEY must be at least 50 random characters in production"),
        ({"SECRET_KEY": "django-insecure-" + "abcdefghij" * 5}, "SECRET_KEY must be at least 50 random"),
        ({"DATABASE_URL": "sqlite:///db.sqlite3"}, "DATABASE_URL names SQLite: production wants PostgreSQL, or ALLOW"),
        ({"PUBLIC_URL": "http://parley.example.org"}, "PUBLIC_URL must start with https:// in production"),
        ({"OPENAI_API_KEY": ""}, "OPENAI_API_KEY is required"),
    ],
)
def test_production_refuses_what_is_good_enough_for_development(changed, expected):
    (problem,) = production_problems(**changed)
    assert problem.startswith(expected)


@pytest.mark.parametrize(
    "changed",
    [
        {"DATABASE_URL": "sqlite:////var/lib/parley/db.sqlite3", "ALLOW_SQLITE": "true"},
        {"OPENAI_API_KEY": "", "LLM_PROVIDER": "demo"},
        {"OPENAI_API_KEY": "", "OPENAI_BASE_URL": "http://ollama:11434/v1"},
        {"OPENAI_API_KEY": "anything", "OPENAI_BASE_URL": "http://vllm:8000/v1"},
        {"ENVIRONMENT": " Production "},
    ],
)
def test_production_accepts_what_was_chosen_openly(changed):
    assert production_problems(**changed) == []


@pytest.mark.parametrize(
    ("environment", "provider"),
    [
        ({}, "demo"),
        ({"OPENAI_API_KEY": "sk-x"}, "openai"),
        ({"OPENAI_BASE_URL": "http://localhost:11434/v1"}, "openai"),
        ({"OPENAI_API_KEY": "sk-x", "LLM_PROVIDER": "demo"}, "demo"),
    ],
)
def test_the_model_is_asked_as_soon_as_one_is_configured(environment, provider):
    assert validate(environment, BASE)[0]["LLM_PROVIDER"] == provider


@pytest.mark.parametrize(
    ("url", "name"),
    [("sqlite:///data.sqlite3", str(BASE / "data.sqlite3")), ("sqlite:////srv/data.sqlite3", "/srv/data.sqlite3")],
)
def test_a_relative_database_path_starts_at_the_project(url, name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    values, problems = validate({"DATABASE_URL": url}, BASE)
    assert (problems, values["DATABASE_URL"]["NAME"]) == ([], name)


def test_tests_may_use_a_database_in_memory():
    values, problems = validate({"ENVIRONMENT": "test", "DATABASE_URL": "sqlite://:memory:"}, BASE)
    assert (problems, values["DATABASE_URL"]["NAME"]) == ([], ":memory:")


# --- NAME_FILE ---


def test_a_value_can_be_kept_in_a_file(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("a-secret-with-a-newline\r\n\n")
    assert validate({"SECRET_KEY_FILE": str(secret)}, BASE)[0]["SECRET_KEY"] == "a-secret-with-a-newline"


def test_a_file_that_cannot_be_used_is_a_problem_of_its_name_only(tmp_path):
    binary, empty = tmp_path / "binary", tmp_path / "empty"
    binary.write_bytes(b"\xff\xfecanary")
    empty.write_text(" \n")
    for path, expected in (
        (tmp_path / "missing", "REDIS_URL_FILE must name a readable text file (found no such file)"),
        (tmp_path, "REDIS_URL_FILE must name a readable text file (found a directory)"),
        (binary, "REDIS_URL_FILE must name a readable text file (found no UTF-8 text)"),
        (empty, "REDIS_URL_FILE names an empty file"),
    ):
        assert production_problems(REDIS_URL="", REDIS_URL_FILE=str(path)) == [expected]


def test_a_value_given_twice_is_a_problem_not_a_guess(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("other")
    problems = problems_of(SECRET_KEY="one", SECRET_KEY_FILE=str(secret))
    assert problems == ["SECRET_KEY and SECRET_KEY_FILE are both set: keep one of them"]


# --- .env ---


@pytest.fixture
def clean_environment(monkeypatch):
    """No declared variable is set, and what a .env file sets is forgotten after the test."""
    for variable in VARIABLES:
        # setenv first: monkeypatch then removes what the test adds.
        monkeypatch.setenv(variable.name, "")
        monkeypatch.delenv(variable.name)


@pytest.mark.usefixtures("clean_environment")
def test_dotenv_is_read_in_development(tmp_path):
    (tmp_path / ".env").write_text("# comment\n\nPORT=3100\nexport TIME_ZONE='Europe/Berlin'\nLOG_LEVEL=\"DEBUG\"\n")
    values = load_environment(tmp_path)
    assert (values["PORT"], values["TIME_ZONE"], values["LOG_LEVEL"]) == (3100, "Europe/Berlin", "DEBUG")


@pytest.mark.usefixtures("clean_environment")
def test_the_environment_wins_over_dotenv(tmp_path, monkeypatch):
    monkeypatch.setenv("PORT", "3200")
    (tmp_path / ".env").write_text("PORT=3100\n")
    assert load_environment(tmp_path)["PORT"] == 3200


@pytest.mark.usefixtures("clean_environment")
def test_dotenv_may_itself_say_that_this_is_production(tmp_path):
    (tmp_path / ".env").write_text("\n".join(f"{name}={value}" for name, value in PRODUCTION.items()))
    assert load_environment(tmp_path)["ENVIRONMENT"] == "production"


@pytest.mark.usefixtures("clean_environment")
@pytest.mark.parametrize("stated", ["test", "production", "Production"])
def test_dotenv_is_not_read_where_the_environment_says_otherwise(tmp_path, monkeypatch, stated):
    for name, value in {**PRODUCTION, "ENVIRONMENT": stated}.items():
        monkeypatch.setenv(name, value)
    (tmp_path / ".env").write_text("PORT=3100\n")
    assert load_environment(tmp_path)["PORT"] == 3000


@pytest.mark.usefixtures("clean_environment")
def test_production_without_its_variables_says_that_dotenv_was_not_read(tmp_path, monkeypatch):
    monkeypatch.setenv("ENVIRONMENT", "production")
    (tmp_path / ".env").write_text("SECRET_KEY=canary\n")
    with pytest.raises(EnvironmentProblems) as caught:
        load_environment(tmp_path)
    assert DOTENV_IGNORED in str(caught.value).splitlines()


@pytest.mark.usefixtures("clean_environment")
def test_a_dotenv_line_that_would_be_lost_is_a_problem(tmp_path):
    (tmp_path / ".env").write_text("PORT = 3100\nREDIS_URL: canary\n  # indented comment\nLOG_LEVEL=DEBUG\n")
    with pytest.raises(EnvironmentProblems) as caught:
        load_environment(tmp_path)
    assert caught.value.problems == [
        ".env line 1 must be NAME=value, without spaces around the name",
        ".env line 2 must be NAME=value, without spaces around the name",
    ]


@pytest.mark.usefixtures("clean_environment")
def test_a_dotenv_file_that_is_no_text_or_cannot_be_read_is_a_problem(tmp_path):
    dotenv = tmp_path / ".env"
    dotenv.write_bytes(b"PORT=\xff\xfe\n")
    assert read_dotenv(dotenv).problems == [".env must be UTF-8 text"]
    dotenv.unlink()
    dotenv.symlink_to(dotenv)
    assert read_dotenv(dotenv).problems[0].startswith(".env cannot be read")
    assert "PORT" not in os.environ


def test_a_missing_dotenv_file_or_a_directory_of_that_name_is_no_problem(tmp_path):
    assert read_dotenv(tmp_path / ".env") == Dotenv()
    assert read_dotenv(tmp_path) == Dotenv()


@pytest.mark.usefixtures("clean_environment")
def test_a_byte_order_mark_does_not_lose_the_first_line(tmp_path):
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbfPORT=3100\n")
    assert load_environment(tmp_path)["PORT"] == 3100


@pytest.mark.usefixtures("clean_environment")
def test_a_name_that_dotenv_sets_twice_is_a_problem_not_a_guess(tmp_path):
    (tmp_path / ".env").write_text("PORT=3100\nSECRET_KEY=canary\nexport PORT=3200\n")
    with pytest.raises(EnvironmentProblems) as caught:
        load_environment(tmp_path)
    assert caught.value.problems == [".env line 3 sets PORT, which line 1 has set: keep one of them"]


# --- what was found, and what may be its cause ---


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        (
            {"OPENAI_API_KEY": "pk-canary-key"},
            "OPENAI_API_KEY must start with sk- (unless OPENAI_BASE_URL points to another server) "
            "(found 13 characters that start with pk-)",
        ),
        (
            {"REDIS_URL": "cache:6379"},
            "REDIS_URL must be a URL that starts with redis:// or rediss:// and names a host (found 10 characters)",
        ),
        (
            {"REDIS_URL": " "},
            "REDIS_URL is required in production: redis://host:6379/0 (found nothing but white space)",
        ),
        ({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS is required in production: the host names of this server (found an "),
        ({"PUBLIC_URL": "http://a.example"}, "PUBLIC_URL must start with https:// in production (found 'http://a."),
        (
            {"DATABASE_URL": "sqlite:///db.sqlite3"},
            "DATABASE_URL names SQLite: production wants PostgreSQL, or ALLOW_SQLITE=true "
            "(found a sqlite:// URL of 20 characters)",
        ),
        (
            {"DATABASE_URL": "postgres://parley:can/ary@db/parley"},
            "DATABASE_URL must have / and # of the user and the password written as %2F and %23 (found a postgres://",
        ),
    ],
)
def test_a_problem_says_what_was_found(changed, problem):
    (said,) = production_problems(**changed)
    assert said.startswith(problem)


def test_a_password_with_a_slash_is_not_taken_for_a_part_of_the_address():
    for value in ("postgres://parley:12/canary@db:5432/parley", "postgres://parley:12#canary@db/parley"):
        (problem,) = production_problems(DATABASE_URL=value)
        assert "%2F" in problem
    (problem,) = production_problems(REDIS_URL="redis://user:12/canary@cache:6379/0")
    assert problem.startswith("REDIS_URL must be a URL")
    encoded = "postgres://parley:12%2Fsecret%23@db/parley?sslmode=require"
    assert validate(PRODUCTION | {"DATABASE_URL": encoded}, BASE)[0]["DATABASE_URL"]["PASSWORD"] == "12/secret#"


@pytest.mark.usefixtures("clean_environment")
def test_a_misspelt_name_is_named_beside_the_problem_it_causes(tmp_path, monkeypatch):
    for name, value in PRODUCTION.items():
        monkeypatch.setenv(name.replace("OPENAI_API_KEY", "OPENAI_APIKEY"), value)
    monkeypatch.setenv("TIMEZONE", "Europe/Berlin")
    with pytest.raises(EnvironmentProblems) as caught:
        load_environment(tmp_path)
    assert str(caught.value).splitlines()[-1] == (
        "OPENAI_APIKEY is set, but nothing reads it: did you mean OPENAI_API_KEY?"
    )
    assert "TIMEZONE" not in str(caught.value)
    assert "canary" not in str(caught.value)
