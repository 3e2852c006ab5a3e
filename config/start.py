"""Start Parley on one machine: `python -m config.start` prepares the database and runs the processes of the Procfile.

A first start creates .env with a secret key of its own. Ctrl-C, SIGTERM or closing the terminal ends every process.
"""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import FrameType

from honcho.environ import parse_procfile
from honcho.manager import Manager
from honcho.printer import Printer

from config.environment import local_model
from config.environment.dotenv import create_dotenv
from config.environment.explain import EnvironmentProblems
from config.environment.read import Values, load_environment
from config.file_modes import keep_new_files_private, make_private, private_files

BASE = Path(__file__).resolve().parent.parent
INTERRUPTED = 128 + signal.SIGINT
BANNER = """
  Simulator   {url}/
  Admin       {url}/admin/
  Health      {url}/healthz and {url}/readyz

  Ctrl-C stops everything.
"""


def main() -> int:
    """Start everything and return the exit code once all of it has ended."""
    keep_new_files_private()
    if not os.environ.get("ENVIRONMENT"):
        announce(create_dotenv(BASE / ".env"))
    try:
        env = load_environment(BASE)
    except EnvironmentProblems as problems:
        return refuse(str(problems))
    port: int = env["PORT"]
    if not is_free(port):
        return refuse(f"Port {port} is in use. Stop what uses it, or choose another: PORT={port + 1} in .env.")
    for path in make_private(private_files(env["DATABASE_URL"], BASE)):
        sys.stdout.write(f"{path} could be read by other users of this machine. It is yours alone from here on.\n")
    bootstrap = subprocess.run([sys.executable, "manage.py", "bootstrap"], cwd=BASE, check=False)
    if bootstrap.returncode:
        return bootstrap.returncode
    sys.stdout.write(BANNER.format(url=f"http://localhost:{port}"))
    sys.stdout.flush()
    return run_processes(env)


def announce(created: bool) -> None:
    """Say that a .env file was created."""
    if created:
        sys.stdout.write("Created .env with a new SECRET_KEY. Keep it: stored credentials are encrypted with it.\n")


def refuse(message: str) -> int:
    """Say why nothing is started and return the exit code."""
    sys.stderr.write(f"{message}\n")
    return 1


def is_free(port: int) -> bool:
    """Return whether a server of ours can listen on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def run_processes(env: Values) -> int:
    """Run every process of the Procfile, and the local model if there is one, until one ends or somebody stops them.

    Returns the exit code.
    """
    # One environment for all: honcho's own command would count PORT up and read .env by rules of its own.
    beside_python = str(Path(sys.executable).parent)
    environment = {
        **os.environ,
        "PORT": str(env["PORT"]),
        "WEB_THREADS": str(env["WEB_THREADS"]),
        "PAGES_SOCKET": str(BASE / env["PAGES_SOCKET"]),
        "PATH": os.pathsep.join([beside_python, os.environ.get("PATH", "")]),
        "PYTHONUNBUFFERED": "1",
    }
    manager = Manager(Printer(sys.stdout, colour=sys.stdout.isatty()))
    model = local_model.find(BASE, env, chosen=os.environ.get("LLM_PROVIDER", ""))
    if model:
        # (Its server prefers PORT in the environment to its own option.)
        manager.add_process("model", model.command, env={**environment, "PORT": str(model.port)}, cwd=str(BASE))
        environment.update(model.environment)
    for name, command in parse_procfile((BASE / "Procfile").read_text()).processes.items():
        manager.add_process(name, command, env=environment, cwd=str(BASE))
    signal.signal(signal.SIGHUP, stop_without_terminal)
    manager.loop()
    code = int(manager.returncode or 0)
    return 0 if code == INTERRUPTED else code


def stop_without_terminal(number: int, frame: FrameType | None) -> None:
    """Stop as SIGTERM does when the terminal is closed: the processes are not in its group and would live on."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
