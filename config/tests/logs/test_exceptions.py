"""No failure is swallowed, and what providers' libraries raise is translated at the adapters."""

import ast
from collections.abc import Iterator

import pytest

from config.tests.modules import BASE, module_files

LIBRARIES = {"aiohttp", "httpx2", "openai"}
# Adapters translate what their library raises; the readiness check and the check ask the model's server by themselves.
# (The front asks our own pages, over HTTP as well.)
MAY_CATCH = (
    "bot/ai/openai.py",
    "bot/channels/",
    "bot/monitoring/health/model.py",
    "bot/operations/model_check.py",
    "bot/front/pages.py",
)
BROAD = {"Exception", "BaseException"}
# A broad handler that neither raises nor logs nor does anything with the exception, and why that is right.
SILENT = {
    "config/wsgi.py": "a header that cannot be parsed is answered with 400",
    "config/logs/sampling.py": "stderr is gone: there is nowhere left to say it",
    "bot/monitoring/health/model.py": "a Redis that is away is told by its own check",
}


def handlers() -> Iterator[tuple[str, ast.ExceptHandler]]:
    """Yield every except clause with its file."""
    for path in module_files(BASE).values():
        for node in ast.walk(ast.parse(path.read_text(), str(path))):
            if isinstance(node, ast.ExceptHandler):
                yield str(path.relative_to(BASE)), node


def caught(handler: ast.ExceptHandler) -> list[str]:
    """Return the names that an except clause catches ("aiohttp.ClientError")."""
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return [ast.unparse(one) for one in types if one is not None]


def is_dealt_with(handler: ast.ExceptHandler) -> bool:
    """Return whether a handler raises, logs, or uses the exception."""
    names = {node.id for one in handler.body for node in ast.walk(one) if isinstance(node, ast.Name)}
    raises = any(isinstance(node, ast.Raise) for one in handler.body for node in ast.walk(one))
    return raises or "logger" in names or (handler.name is not None and handler.name in names)


def test_no_except_is_bare_or_swallows_everything() -> None:
    found = list(handlers())
    assert len(found) > 50, "handlers are found at all"
    bare = [f"{file}:{handler.lineno}" for file, handler in found if handler.type is None]
    broad = [(file, handler) for file, handler in found if BROAD & set(caught(handler))]
    swallowed = {file: handler.lineno for file, handler in broad if not is_dealt_with(handler)}
    assert bare == []
    assert swallowed.keys() == SILENT.keys(), swallowed


def test_only_adapters_catch_what_a_providers_library_raises() -> None:
    elsewhere = [
        f"{file}:{handler.lineno} catches {name}"
        for file, handler in handlers()
        for name in caught(handler)
        if name.partition(".")[0] in LIBRARIES and not file.startswith(MAY_CATCH)
    ]
    assert elsewhere == []


@pytest.mark.parametrize(
    ("source", "fine"),
    [
        ("except Exception:\n    pass", False),
        ("except Exception as error:\n    return None", False),
        ("except Exception:\n    logger.exception('x')", True),
        ("except Exception as error:\n    note(error)", True),
        ("except Exception:\n    raise Other from None", True),
    ],
)
def test_a_swallowed_exception_would_be_found(source: str, fine: bool) -> None:
    (handler,) = [
        node
        for node in ast.walk(ast.parse(f"def f():\n  try:\n    x()\n  {source.replace(chr(10), chr(10) + '  ')}"))
        if isinstance(node, ast.ExceptHandler)
    ]
    assert is_dealt_with(handler) is fine
