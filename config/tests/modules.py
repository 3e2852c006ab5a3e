"""The project's modules by name."""

from pathlib import Path

BASE = Path(__file__).resolve().parents[2]
PACKAGES = ("users", "conversations", "usage", "bot", "config")


def module_files(base: Path) -> dict[str, Path]:
    """Return the project's modules by name, without tests and migrations."""
    relative = {path.relative_to(base): path for package in PACKAGES for path in (base / package).rglob("*.py")}
    return {
        ".".join(part for part in name.with_suffix("").parts if part != "__init__"): path
        for name, path in relative.items()
        if not {"tests", "migrations"} & set(name.parts)
    }
