"""The environment of processes that tests start: what the test says, and nothing of the shell it runs in."""

import os


def bare_environment(**variables: str) -> dict[str, str]:
    """Return variables with what a process needs to be found, and to be measured when the suite is."""
    coverage = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    return {"PATH": os.environ["PATH"], **coverage, **variables}
