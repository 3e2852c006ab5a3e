"""Dependencies run one way. What breaks that is named with its file and line."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

BASE = Path(__file__).resolve().parents[2]
APPS = ("users", "conversations", "usage", "bot")
# Leaves of config that import no app: anybody may use them.
CONFIG_LEAVES = (
    "config.file_modes",
    "config.front",
    *(
        "config.db.batches",
        "config.environment.check_env",
        "config.environment.env",
        "config.egress",
        "config.logs.events",
        "config.logs.context",
        "config.logs.lines",
        "config.loopback",
    ),
    *(
        "config.environment.mistakes",
        "config.environment.parsers",
        "config.logs.redaction",
        "config.db.rows",
        "config.logs.sampling",
        "config.logs.sentry",
        "config.shared_store",
        "config.db.sql",
        "config.logs.tracebacks",
    ),
)


@dataclass(frozen=True)
class Import:
    """One imported module, and where."""

    importer: str
    imported: str
    place: str


@dataclass(frozen=True)
class Rule:
    """Modules under `of` import none of `forbidden`, except those under `allowed`.

    `exempt` are single modules that may; `parts_may`: so may the parts of a forbidden package among themselves.
    """

    name: str
    of: tuple[str, ...]
    forbidden: tuple[str, ...]
    allowed: tuple[str, ...] = ()
    exempt: tuple[str, ...] = ()
    parts_may: bool = False

    def broken_by(self, found: Import) -> bool:
        """Return whether the import is one that the rule forbids."""
        if found.importer in self.exempt or not is_under(found.importer, self.of):
            return False
        forbidden = [name for name in self.forbidden if not (self.parts_may and is_under(found.importer, (name,)))]
        return is_under(found.imported, tuple(forbidden)) and not is_under(found.imported, self.allowed)


ADAPTERS = tuple(f"bot.channels.{name}" for name in ("console", "generic", "telegram", "twilio", "whatsapp"))
NO_ADAPTERS = {"base", "connection", "documents", "echo", "registry", "rendering", "text", "words"}
CHANNELS_ARE_PURE = "channels know no Django model, no language model and no pipeline"
RULES = (
    Rule("users imports no other app", ("users",), ("conversations", "usage", "bot")),
    Rule("conversations imports users only", ("conversations",), ("usage", "bot")),
    Rule("usage imports users only", ("usage",), ("conversations", "bot")),
    Rule("apps import leaves of config only", APPS, ("config",), allowed=CONFIG_LEAVES),
    Rule("leaves of config import no app", CONFIG_LEAVES, (*APPS, "config.settings", "config.urls")),
    Rule(
        "only the registry imports concrete channels",
        (*APPS, "config"),
        ADAPTERS,
        exempt=("bot.channels.registry",),
        parts_may=True,
    ),
    Rule(
        "only bot.ai itself imports concrete models",
        (*APPS, "config"),
        ("bot.ai.openai", "bot.ai.demo"),
        exempt=("bot.ai",),
    ),
    Rule("only bot.ai.openai imports openai", (*APPS, "config"), ("openai",), exempt=("bot.ai.openai",)),
    Rule(
        CHANNELS_ARE_PURE,
        ("bot.channels",),
        ("bot", "users", "conversations", "usage", "django.db", "django.apps", "django.contrib"),
        allowed=("bot.channels", "bot.errors"),
    ),
    Rule(
        "rendering is pure: it knows neither Django nor a channel",
        ("bot.channels.rendering",),
        ("django", *APPS, "config"),
        allowed=("bot.channels.rendering", "bot.text"),
    ),
    Rule(
        "only the renderer imports the parser of Markdown",
        (*APPS, "config"),
        ("markdown_it",),
        exempt=tuple(f"bot.channels.rendering.{name}" for name in ("inline", "reading", "rules")),
    ),
    Rule(
        "language models know no channel, no pipeline and no Django model",
        ("bot.ai",),
        ("bot", "users", "conversations", "usage", "django.db"),
        # The text helpers are pure: what is cleaned of a person's text is cleaned of a model's.
        allowed=("bot.ai", "bot.errors", "bot.text"),
    ),
    Rule("the pipeline knows neither worker nor webhooks", ("bot.pipeline",), ("bot.worker.worker", "bot.webhooks")),
    Rule(
        "webhooks only receive",
        ("bot.webhooks",),
        ("bot.pipeline", "bot.ai", "bot.worker.worker", "bot.worker.replies"),
    ),
    Rule("what is measured knows nothing of what measures it", (*APPS, "config"), ("benchmarks",)),
    Rule(
        "the redaction needs the standard library only",
        ("config.logs.redaction", "config.logs.context"),
        ("django", "config", *APPS),
        allowed=("config.logs.context",),
    ),
)


def is_under(module: str, names: tuple[str, ...]) -> bool:
    """Return whether a module is one of names, or inside one of them."""
    return any(module == name or module.startswith(f"{name}.") for name in names)


def module_files(base: Path) -> dict[str, Path]:
    """Return the project's modules by name, without tests and migrations."""
    files = (path for package in (*APPS, "config") for path in (base / package).rglob("*.py"))
    relative = {path.relative_to(base): path for path in files}
    return {
        ".".join(part for part in name.with_suffix("").parts if part != "__init__"): path
        for name, path in relative.items()
        if not {"tests", "migrations"} & set(name.parts)
    }


def imports_of(base: Path) -> Iterator[Import]:
    """Yield every import, wherever it stands in a module; those for type hints only count as well."""
    modules = module_files(base)
    for module, path in modules.items():
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        for node in ast.walk(ast.parse(path.read_text(), str(path))):
            place = f"{path.relative_to(base)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Import):
                yield from (Import(module, alias.name, place) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from (Import(module, name, place) for name in imported_names(node, package, modules))


def imported_names(node: ast.ImportFrom, package: str, modules: dict[str, Path]) -> list[str]:
    """Return the modules a from-import names: `from bot import worker` means bot.worker.worker, if that is a module."""
    origin = node.module or ""
    if node.level:
        parents = package.split(".")[: len(package.split(".")) - node.level + 1]
        origin = ".".join([*parents, *([origin] if origin else [])])
    candidates = [f"{origin}.{alias.name}" for alias in node.names]
    return [name if name in modules else origin for name in candidates]


@pytest.fixture(scope="module")
def imports() -> list[Import]:
    return list(imports_of(BASE))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_dependencies_run_one_way(rule, imports):
    broken = [f"{found.place} imports {found.imported}" for found in imports if rule.broken_by(found)]
    assert not broken, f"{rule.name}:\n" + "\n".join(broken)


def test_rules_and_names_are_those_of_the_project():
    modules = module_files(BASE)
    assert {
        "bot.channels.registry",
        "bot.ai.openai",
        "bot.webhooks",
        "bot.worker.worker",
        "config.logs.redaction",
    } <= set(modules)
    inside = {name.split(".")[2] for name in modules if name.startswith("bot.channels.")}
    adapters = {f"bot.channels.{name}" for name in inside - NO_ADAPTERS}
    assert adapters <= set(ADAPTERS), "a new adapter must be named in ADAPTERS"


@pytest.mark.parametrize(
    ("file", "source", "rule"),
    [
        ("users/x.py", "from bot.models import Bot", "users imports no other app"),
        ("usage/x.py", "def f():\n    import conversations.models", "usage imports users only"),
        ("bot/pipeline/x.py", "from bot import worker", "the pipeline knows neither worker nor webhooks"),
        ("bot/pipeline/x.py", "from .. import worker", "the pipeline knows neither worker nor webhooks"),
        ("bot/x.py", "from openai import AsyncOpenAI", "only bot.ai.openai imports openai"),
        ("bot/x.py", "from config.settings import DEBUG", "apps import leaves of config only"),
        ("bot/channels/x.py", "from django.db import models", CHANNELS_ARE_PURE),
        ("bot/x.py", "from bot.channels.whatsapp import W", "only the registry imports concrete channels"),
    ],
)
def test_a_forbidden_import_is_found_with_its_file_and_line(tmp_path, file, source, rule):
    for name in (file, "bot/worker/worker.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / file).write_text(f'"""Doc."""\n\n{source}\n')
    (checked,) = (one for one in RULES if one.name == rule)
    line = 3 + source.count("\n")
    assert [found.place for found in imports_of(tmp_path) if checked.broken_by(found)] == [f"{file}:{line}"]
