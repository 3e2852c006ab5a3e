"""What came along with a value by mistake is refused at start, by the variable's name and without the value."""

import re
from pathlib import Path

import pytest

from config.environment.dotenv import read_dotenv
from config.environment.read import validate
from config.environment.variables import SECRETS, VARIABLES
from config.tests.environment.values import BASE, PRODUCTION

KEY = PRODUCTION["SECRET_KEY"]
WHITE = "must not have white space inside"
COMMENT = "must not have a comment behind it"
QUOTED = "must not have quotes around it"
EXAMPLE = "is an example's value: put your own in its place"
# A value of each secret that is taken as it stands.
TAKEN = {
    "SECRET_KEY": KEY,
    "DATABASE_URL": "postgres://parley:canary@db:5432/parley",
    "REDIS_URL": "redis://:canary@cache:6379/0",
    "OPENAI_API_KEY": "sk-canary",
    "SENTRY_DSN": "https://canary@o2.ingest.sentry.io/7",
    "METRICS_TOKEN": "canary-token-of-twenty-characters",
}


def problems_of(environment: str, **changed: str) -> list[str]:
    base = PRODUCTION if environment == "production" else {"ENVIRONMENT": environment}
    return validate(base | changed, BASE)[1]


def test_every_secret_is_one_of_these_or_a_former_one() -> None:
    assert set(TAKEN) == SECRETS - {"SECRET_KEY_FALLBACKS"}
    for name, value in TAKEN.items():
        assert problems_of("production", **{name: value}) == [], name


@pytest.mark.parametrize("environment", ["development", "production"])
@pytest.mark.parametrize("name", TAKEN)
@pytest.mark.parametrize(
    ("mistaken", "says"),
    [
        ("{0} # the one of May", COMMENT),
        ("{0}\t#x", COMMENT),
        ("# none yet", COMMENT),
        ('"{0}" # quoted', COMMENT),
        ("{0} {0}", WHITE),
        ("{0}\n{0}", WHITE),
        ("{0}\u00a0x", WHITE),
        ('"{0}"', QUOTED),
        ("'{0}", QUOTED),
        ("{0}”", QUOTED),
        ("<a secret>", EXAMPLE),
        ("{0}...", EXAMPLE),
        ("{0}…", EXAMPLE),
    ],
)
def test_a_secret_with_something_along_with_it_is_refused_by_name(
    environment: str, name: str, mistaken: str, says: str, tmp_path: Path
) -> None:
    value = mistaken.format(TAKEN[name])
    (problem,) = problems_of(environment, **{name: value})
    assert problem.startswith(f"{name} {says}"), problem
    assert "canary" not in problem and KEY not in problem
    file = tmp_path / "secret"
    file.write_text(f"{value}\n")
    given = {"ENVIRONMENT": environment, **(PRODUCTION if environment == "production" else {})}
    given.pop(name, None)
    assert problem in validate({**given, f"{name}_FILE": str(file)}, BASE)[1]


@pytest.mark.parametrize("name", TAKEN)
@pytest.mark.parametrize("around", [" {}", "{} \t", "{}\n", "\n{}\r\n"])
def test_white_space_around_a_secret_is_dropped(name: str, around: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(around.format(TAKEN[name]))
    plain, _ = validate(PRODUCTION | {name: TAKEN[name]}, BASE)
    for given in ({name: around.format(TAKEN[name])}, {name: "", f"{name}_FILE": str(file)}):
        values, problems = validate(PRODUCTION | given, BASE)
        assert (problems, values[name]) == ([], plain[name])


@pytest.mark.parametrize("value", ["#k3y-that-starts-with-a-hash" * 2, "a#b" * 20, "k" * 20 + "<b>" + KEY])
def test_a_hash_inside_a_secret_is_a_part_of_it(value: str) -> None:
    assert problems_of("development", SECRET_KEY=value) == []


@pytest.mark.parametrize(
    "value",
    [
        "change-me", "CHANGEME", "change_me_please", "sk-change-me", "replace-me", "your-secret-key", "sk-your-key",
        "xxxxxxxx", "sk-xxxx", "sk-...", "sk-…", "placeholder", "sk-0123456789abcdef",
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["SECRET_KEY", "OPENAI_API_KEY", "METRICS_TOKEN"])
def test_what_people_write_for_the_time_being_is_refused(name: str, value: str) -> None:
    (problem,) = problems_of("development", **{name: value})
    assert problem.startswith(f"{name} {EXAMPLE}")


def examples() -> list[tuple[str, str]]:
    """Return every secret that the manual writes out: (variable, value)."""
    pages = [*(BASE / "docs").glob("*.md"), *(BASE / "docs" / "operations").glob("*")]
    manual = [BASE / "README.md", BASE / ".env.example", *pages]
    text = "\n".join(path.read_text() for path in manual)
    assigned = re.findall(rf"^(?:# )?({'|'.join(SECRETS)})=(.+)$", text, re.MULTILINE)
    assigned += re.findall(r"`(OPENAI_API_KEY)=([^`]+)`", text)
    return sorted({(name, value) for name, value in assigned if "redis://127.0.0.1" not in value})


def test_nothing_starts_with_a_secret_of_the_manual() -> None:
    found = examples()
    assert {name for name, _ in found} >= {"SECRET_KEY", "OPENAI_API_KEY", "DATABASE_URL"}
    for name, value in found:
        if value.startswith(("sqlite", "redis://cache")):
            continue  # (no secret in it)
        assert any(problem.startswith(f"{name} ") for problem in problems_of("production", **{name: value})), value
    for variable in VARIABLES:
        explained = f"{variable.help} {variable.parse.expected}"
        for value in re.findall(r"(?:postgres|redis|https)://\S+@\S+[\w/]", explained):
            (problem,) = problems_of("production", **{variable.name: value})
            assert problem.startswith(f"{variable.name} {EXAMPLE}")


@pytest.mark.parametrize(
    "line",
    [
        "OPENAI_GPT_MODEL=llama3.2 # a small one", "OPENAI_GPT_MODEL=llama3.2\t#", "PORT=3100 # free",
        "DAILY_BUDGET_USD=5 # a day", 'OPENAI_BASE_URL="http://ollama:11434/v1" # local', "TIME_ZONE= # none",
        "SENTRY_RELEASE=# none", "DATABASE_URL=sqlite:////srv/my data/db.sqlite3 # here",
    ],
)  # fmt: skip
def test_a_comment_behind_a_value_in_a_dotenv_file_is_refused(line: str, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"{line}\n")
    _, problems = validate(read_dotenv(tmp_path / ".env").assigned, BASE)
    assert [problem.split(" (")[0] for problem in problems] == [
        f"{line.split('=')[0]} {COMMENT}, which would be part of it: put that on a line of its own"
    ]


def test_a_former_key_is_taken_as_it_was() -> None:
    values, problems = validate({"SECRET_KEY_FALLBACKS": "a former key # of May, 'another'"}, BASE)
    assert (problems, values["SECRET_KEY_FALLBACKS"]) == ([], ["a former key # of May", "'another'"])


def test_a_path_of_sqlite_may_have_white_space() -> None:
    values, problems = validate({"DATABASE_URL": "sqlite:////srv/my data/db.sqlite3"}, BASE)
    assert (problems, values["DATABASE_URL"]["NAME"]) == ([], "/srv/my data/db.sqlite3")
