"""No code of ours evaluates, imports, unpickles or fetches by a name or an address that it is given as data."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

BASE = Path(__file__).resolve().parents[2]
ROOMS = ("bot", "config", "conversations", "usage", "users")
CALLS = {"eval", "exec", "compile", "__import__", "import_string", "import_module", "system", "popen", "urlopen"}
MODULES = {"pickle", "marshal", "shelve", "dill", "importlib", "urllib.request", "requests", "code", "runpy"}
# What starts processes or asks over HTTP with words of the program's own, and takes none from a page or a message.
ALLOWED = {
    "bot/monitoring/health/checks.py: import_module": "loads the libraries that each check of ours names in its class",
    "bot/monitoring/health/checks.py: importlib": "for that",
    "config/egress.py: urllib.request": "reads the proxy's address from the environment, and asks nobody",
    "bot/dev/standins/process.py: urllib.request": "asks a stand-in that it has started, on this machine",
}


def sources() -> list[Path]:
    files = (path for room in ROOMS for path in sorted((BASE / room).rglob("*.py")))
    return [path for path in files if "tests" not in path.relative_to(BASE).parts]


def used(source: str) -> Iterator[str]:
    """Yield what a module calls or imports of these, by name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.id if isinstance(called, ast.Name) else ""
            if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
                # (re.compile, connection.execute and the like are other things.)
                name = called.attr if called.attr in CALLS - {"compile"} else ""
            if name in CALLS:
                yield name
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            yield str(node.module)


def test_nothing_is_evaluated_or_imported_or_unpickled_or_fetched_by_name() -> None:
    found = {f"{path.relative_to(BASE).as_posix()}: {name}" for path in sources() for name in used(path.read_text())}
    assert found - ALLOWED.keys() == set()
    assert ALLOWED.keys() - found == set(), "not needed any more"
    assert len(sources()) > 150


@pytest.mark.parametrize(
    "source",
    ["eval(text)", "import pickle", "from importlib import import_module", "os.system(x)", "import_string(row.func)()"],
)
def test_such_a_use_is_found(source: str) -> None:
    assert list(used(source))
