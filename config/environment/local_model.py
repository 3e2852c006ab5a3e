"""The small language model that `make model` installs into .model: `make run` starts it and lets every bot use it."""

import socket
from dataclasses import dataclass
from pathlib import Path

from config.environment.read import Values

FOLDER = ".model"
ALIAS = "smollm2"
# What the model was made for; a longer prompt and answer together would be refused.
CONTEXT_TOKENS = 2_048


@dataclass(frozen=True, slots=True)
class LocalModel:
    """An installed model: the Python that has its server, its file, and the port it will listen on."""

    python: Path
    file: Path
    port: int

    @property
    def command(self) -> str:
        """The server's command line."""
        options = f"--host 127.0.0.1 --port {self.port} --model_alias {ALIAS} --n_ctx {CONTEXT_TOKENS}"
        return f"exec '{self.python}' -m llama_cpp.server --model '{self.file}' {options}"

    @property
    def environment(self) -> dict[str, str]:
        """What tells web and worker to use it."""
        return {
            "LLM_PROVIDER": "openai",
            "OPENAI_BASE_URL": f"http://127.0.0.1:{self.port}/v1",
            "OPENAI_GPT_MODEL": ALIAS,
            "MAX_MODEL_TOKENS": str(CONTEXT_TOKENS * 3 // 4),
            "MAX_REPLY_TOKENS": str(CONTEXT_TOKENS // 4),
        }


def find(base: Path, env: Values, chosen: str) -> LocalModel | None:
    """Return the model installed under base, unless the environment names another or `chosen` says demo on purpose."""
    if env["LLM_PROVIDER"] != "demo" or chosen:
        return None
    python = base / FOLDER / "bin" / "python"
    file = next(iter(sorted((base / FOLDER).rglob("*.gguf"))), None)
    if not python.exists() or file is None:
        return None
    return LocalModel(python, file, free_port())


def free_port() -> int:
    """Return a port of this machine that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port
