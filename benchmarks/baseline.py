"""What was measured when the figures were last accepted: benchmarks/baseline.json, committed with the code."""

import json
from pathlib import Path
from typing import Any

PATH = Path(__file__).resolve().parent / "baseline.json"


def read() -> dict[str, Any]:
    """Return the baseline; empty where there is none yet."""
    return dict(json.loads(PATH.read_text())) if PATH.exists() else {}


def accept(section: str, key: str, values: dict[str, Any]) -> None:
    """Write what was measured in the place of what was there."""
    content = read()
    content.setdefault(section, {})[key] = values
    PATH.write_text(json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
