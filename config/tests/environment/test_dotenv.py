"""A .env file: when it is read, and what is wrong with it."""

import os

import pytest

from config.environment.dotenv import Dotenv, read_dotenv
from config.environment.explain import EnvironmentProblems
from config.environment.read import DOTENV_IGNORED, load_environment
from config.environment.variables import VARIABLES
from config.tests.environment.values import PRODUCTION


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
