""".env.example and docs/configuration.md say what the declarations say."""

import os
from pathlib import Path

import pytest

from bot.operations import reference
from bot.operations.check_rules import RULES
from config.environment.read import load_environment, validate
from config.environment.variables import VARIABLES

BASE = Path(__file__).resolve().parents[3]
MANUAL = (BASE / "docs" / "configuration.md").read_text()
HOW = "run `manage.py write_docs`"


def test_env_example_is_what_the_declaration_says():
    assert (BASE / ".env.example").read_text() == reference.dotenv_example(), HOW


def test_the_manual_is_what_the_declarations_say():
    assert reference.configuration(MANUAL) == MANUAL, HOW


def test_the_manual_has_every_part_and_explains_every_variable_and_check():
    assert {part["name"] for part in reference.PART.finditer(MANUAL)} == set(reference.PARTS)
    for variable in VARIABLES:
        assert f"\n| `{variable.name}` | {variable.help} |" in MANUAL
        assert (f"`{variable.name}_FILE` |\n" in MANUAL) == variable.secret
    assert [line.split("`")[1] for line in MANUAL.splitlines() if line.startswith("| `parley.")] == [
        rule.id for rule in RULES
    ]


def test_the_manual_names_what_production_requires():
    required = [line.split("`")[1] for line in MANUAL.splitlines() if "**required in production**" in line]
    assert required == ["SECRET_KEY", "ALLOWED_HOSTS", "PUBLIC_URL", "DATABASE_URL", "REDIS_URL", "OPENAI_API_KEY"]


@pytest.mark.parametrize(
    "row",
    [
        "| `PORT` | Port of the web process. | `3000` | a whole number from 1 to 65535 |  |",
        "| `ALLOW_SQLITE` | Run production on SQLite (one machine only). | `false` | true or false |  |",
        "| `SENTRY_RELEASE` | Version that error reports name. |  | any text |  |",
    ],
)
def test_a_row_says_default_and_what_is_accepted(row):
    assert f"\n{row}\n" in MANUAL


def test_a_stale_part_is_written_anew_and_the_rest_is_left_alone():
    stale = MANUAL.replace("| `3000` |", "| `80` |").replace("# Configuration", "# Own words")
    assert reference.configuration(stale) == MANUAL.replace("# Configuration", "# Own words")


def test_defaults_of_env_example_are_valid(tmp_path, monkeypatch):
    for variable in VARIABLES:
        # setenv first: monkeypatch then removes what the test adds.
        monkeypatch.setenv(variable.name, "")
        monkeypatch.delenv(variable.name)
    lines = reference.dotenv_example().splitlines()
    shown = [line.removeprefix("# ") for line in lines if line.startswith(tuple(f"# {v.name}=" for v in VARIABLES))]
    assert [line.split("=")[0] for line in shown] == [variable.name for variable in VARIABLES]
    (tmp_path / ".env").write_text("\n".join(shown))
    made_up = {"SECRET_KEY": "made up for each process"}
    assert {**load_environment(tmp_path), **made_up} == {**validate({}, tmp_path)[0], **made_up}


def test_the_examples_of_the_manual_are_valid_for_production(tmp_path):
    blocks = [block.partition("\n```")[0] for block in MANUAL.split("```sh\n")[1:]]
    examples = [block for block in blocks if block.startswith("ENVIRONMENT=production") and "80a" not in block]
    assert len(examples) == 2
    values = {
        "SECRET_KEY": "zX8q3vN1mK5rT7wB2yD4fG6hJ9lP0sA1cV3bN5mQ7wE9rT2yU4iO",
        "DATABASE_URL": "postgres://parley:secret@db/parley",
        "OPENAI_API_KEY": "sk-secret",
        "SENTRY_DSN": "https://0a1b@o2.ingest.sentry.io/7",
        "METRICS_TOKEN": "a-token-of-the-scraper",
    }
    for example in examples:
        environment = dict(line.split("=", 1) for line in example.splitlines())
        for name in [name for name in environment if name.endswith("_FILE")]:
            path = tmp_path / name
            path.write_text(values[name.removesuffix("_FILE")])
            environment[name] = os.fspath(path)
        if "SECRET_KEY" in environment:
            environment["SECRET_KEY"] = values["SECRET_KEY"]
        assert validate(environment, tmp_path)[1] == []
