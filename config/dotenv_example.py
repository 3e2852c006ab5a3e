"""Write .env.example from the declaration: `python -m config.dotenv_example > .env.example`."""

import sys

from config.env import Variable
from config.variables import SECTIONS

HEADER = """\
# Parley's configuration. Copy to .env and remove the # of what you set; what is absent has the value shown here.
# Written by `python -m config.dotenv_example` from config/variables.py.
#
# A secret may be kept in a file instead: NAME_FILE=/run/secrets/name.
# In production set ENVIRONMENT, SECRET_KEY, ALLOWED_HOSTS, PUBLIC_URL, DATABASE_URL, REDIS_URL and OPENAI_API_KEY.
"""


def example() -> str:
    """Return the text of .env.example: every variable in its section, with its help and its default."""
    blocks = [HEADER]
    for title, variables in SECTIONS.items():
        blocks.append(f"\n# --- {title} ---\n")
        blocks += [f"\n# {variable.help}\n# {variable.name}={shown_default(variable)}\n" for variable in variables]
    return "".join(blocks)


def shown_default(variable: Variable) -> str:
    """Return the default as one would write it; nothing where there is none."""
    if variable.default in (None, [], ""):
        return ""
    if isinstance(variable.default, bool):
        return str(variable.default).lower()
    if isinstance(variable.default, list):
        return ",".join(variable.default)
    return str(variable.default)


if __name__ == "__main__":
    sys.stdout.write(example())
