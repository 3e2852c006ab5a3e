"""What Parley makes of its environment, and how it says what is wrong with it."""

import pytest

from config.environment.explain import EnvironmentProblems
from config.environment.read import TEST_SECRET_KEY, load_environment, validate
from config.environment.variables import VARIABLES
from config.tests.environment.values import BASE, PRODUCTION, problems_of


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


def test_a_full_production_environment_is_accepted():
    values, problems = validate(PRODUCTION, BASE)
    assert problems == []
    assert values["LLM_PROVIDER"] == "openai"
    assert values["PUBLIC_URL"] == "https://parley.example.org"
    assert values["DATABASE_URL"]["HOST"] == "db"


def test_production_says_everything_it_lacks_at_once():
    named = [problem.split(" ")[0] for problem in problems_of(ENVIRONMENT="production")]
    assert named == ["OPENAI_API_KEY", "SECRET_KEY", "DATABASE_URL", "REDIS_URL", "ALLOWED_HOSTS", "PUBLIC_URL"]


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
