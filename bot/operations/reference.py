"""Generator of .env.example and the tables of docs/configuration.md: `manage.py write_docs`."""

import re
from collections.abc import Callable
from pathlib import Path

from bot.operations.check_rules import RULES
from config.environment.check_env import written
from config.environment.dotenv import Dotenv
from config.environment.explain import EnvironmentProblems
from config.environment.read import Sources, checked, rules, validate, variable_of
from config.environment.variables import SECTIONS, Variable

BASE = Path(__file__).resolve().parents[2]
DOTENV_HEADER = """\
# Parley's configuration. Copy to .env and remove the # of what you set; what is absent has the value shown here.
# Written by `manage.py write_docs` from its declarations. docs/configuration.md
# has the same as tables.
#
# A secret may be kept in a file instead: NAME_FILE=/run/secrets/name. A comment has a line of its own.
# In production set ENVIRONMENT, {required}.
"""
PART = re.compile(r"(<!-- (?P<name>[a-z ]+): manage\.py write_docs -->\n).*?(<!-- end -->)", re.DOTALL)
TEN_FAULTS = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "django-insecure-change-me",
    "ALLOWED_HOSTS": "https://parley.example.org",
    "PUBLIC_URL": "http://parley.example.org",
    "PORT": "80a",
    "TIME_ZONE": "Europe/Berln",
    "DATABASE_URL": "mysql://parley:parley@db/parley",
    "OPENAI_APIKEY": "sk-0123456789abcdef",
    "OPENAI_BASE_URL": "api.openai.com/v1",
    "DAILY_BUDGET_USD": "$25",
}


def required_in_production() -> list[str]:
    """Return the variables that production requires, in the order of declaration."""
    _values, problems = validate({"ENVIRONMENT": "production"}, BASE)
    missing = {variable_of(problem) for problem in problems}
    return [variable.name for section in SECTIONS.values() for variable in section if variable.name in missing]


def dotenv_example() -> str:
    """Return the text of .env.example: every variable in its section, with its help and its default."""
    *names, last = required_in_production()
    blocks = [DOTENV_HEADER.format(required=f"{', '.join(names)} and {last}")]
    for title, variables in SECTIONS.items():
        blocks.append(f"\n# --- {title} ---\n")
        blocks += [f"\n# {variable.help}\n# {variable.name}={written(variable.default)}\n" for variable in variables]
    return "".join(blocks)


def variable_tables() -> str:
    """Return a table of variables for each section."""
    required = required_in_production()
    values, _problems = validate({"ENVIRONMENT": "production"}, BASE)
    musts = [(name, text) for name, _wrong, text in rules(values)]
    blocks = []
    for title, variables in SECTIONS.items():
        rows = "".join(
            variable_row(variable, variable.name in required, [text for name, text in musts if name == variable.name])
            for variable in variables
        )
        blocks.append(
            f"\n### {title}\n\n| variable | meaning | default | accepted | secret |\n|---|---|---|---|---|\n{rows}"
        )
    return "".join(blocks) + "\n"


def variable_row(variable: Variable, required: bool, rules: list[str]) -> str:
    """Return a variable's row. rules: further conditions, each the end of a sentence."""
    default = written(variable.default)
    musts = [rule.removeprefix("must be ") for rule in rules if rule.startswith("must ")]
    without = variable.implied or (f"`{default}`" if default else "")
    cells = [
        f"`{variable.name}`",
        variable.help,
        "; ".join(filter(None, [without, "**required in production**" if required else ""])),
        "; ".join(part for part in (variable.parse.expected, *musts) if part) or "any text",
        f"yes: `{variable.name}_FILE`" if variable.secret else "",
    ]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def check_table() -> str:
    """Return the table of system checks."""
    rows = "".join(
        f"| `{rule.id}` | {rule.documented} | {rule.hint} | {'yes' if rule.needs_database else ''} |\n"
        for rule in RULES
    )
    return f"\n| id | what is wrong | what to do | asks the database |\n|---|---|---|---|\n{rows}\n"


def ten_faults() -> str:
    """Return an environment with ten faults, and the error message of every process."""
    environment = "".join(f"{name}={value}\n" for name, value in TEN_FAULTS.items())
    try:
        checked(Sources(TEN_FAULTS, Dotenv(), dotenv_ignored=False), BASE)
    except EnvironmentProblems as problems:
        return f"\n```sh\n{environment}```\n\n```\n{problems}\n```\n\n"
    raise AssertionError("the example of a wrong environment is valid")


PARTS: dict[str, Callable[[], str]] = {
    "variables": variable_tables,
    "checks": check_table,
    "ten faults": ten_faults,
}


def configuration(text: str) -> str:
    """Return the text of docs/configuration.md with its generated parts updated."""
    return PART.sub(lambda part: part[1] + PARTS[part["name"]]() + part[3], text)


def write() -> None:
    """Write both files."""
    (BASE / ".env.example").write_text(dotenv_example())
    manual = BASE / "docs" / "configuration.md"
    manual.write_text(configuration(manual.read_text()))
