"""The form of the lines that granian's main process writes, which never loads Django (config/granian.json names it)."""

import logging
from pathlib import Path

from config.environment.explain import EnvironmentProblems
from config.environment.read import load_environment, wants_json_logs
from config.logs.lines import JsonLines, OneLiners

BASE = Path(__file__).resolve().parents[1]


class KnownAdvice(logging.Filter):
    """Leaves out granian's advice to have fewer threads: most of them only wait."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a line is anything else."""
        return "Python threads" not in record.getMessage()


def formatter() -> logging.Formatter:
    """Return the formatter that LOG_FORMAT asks for, as settings.py chooses it."""
    try:
        env = load_environment(BASE)
    except EnvironmentProblems:
        # (The processes it starts say what is wrong, and stop.)
        return JsonLines()
    return JsonLines() if wants_json_logs(env) else OneLiners()
