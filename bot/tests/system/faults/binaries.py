"""Find the servers' binaries, an account and a port for them, and stop, suspend and end their processes."""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

# Below the ports the system gives to outgoing connections: while a server is stopped nobody else gets its port.
PORTS = range(20_000, 32_000)
START_SECONDS = 60
STOP_SECONDS = 60


def find_binary(name: str) -> str | None:
    """Return the path of a server's binary: on PATH, else Debian's PostgreSQL folders, newest first."""
    if on_path := shutil.which(name):
        return on_path
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"),
        key=lambda folder: int(folder.parent.name) if folder.parent.name.isdigit() else 0,
        reverse=True,
    )
    return next((str(folder / name) for folder in folders if (folder / name).is_file()), None)


def reason_to_skip(*binaries: str) -> str:
    """Return why servers made of these binaries cannot be started here; empty when they can."""
    missing = [name for name in binaries if find_binary(name) is None]
    if missing:
        return f"not installed here: {', '.join(missing)}"
    if not Path(f"/proc/self/task/{os.getpid()}/children").exists():
        return "processes cannot be listed here: /proc is needed to suspend a server"
    return ""


def account() -> dict[str, Any]:
    """Return subprocess's arguments for an account without privileges: PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise RuntimeError("run as root, and there is neither a postgres nor a nobody account")


def free_port() -> int:
    """Return a port that nothing listens on."""
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class ServerProcess:
    """A server in a temporary folder of its own, on loopback, as a child of this process."""

    def __init__(self, kind: str) -> None:
        self.port = free_port()
        self.account = account()
        self.folder = Path(tempfile.mkdtemp(prefix=f"parley-{kind}-"))
        if self.account:
            os.chown(self.folder, self.account["user"], self.account["group"])
        self.process: subprocess.Popen[bytes] | None = None

    def launch(self, command: Sequence[str], answers: Callable[[], bool]) -> None:
        """Start the server and wait until it answers.

        Raises:
            RuntimeError: it ended, or did not answer in time; its log's end is in the message.
        """
        log = self.folder / "server.log"
        with log.open("ab") as stream:
            self.process = self._spawn(command, stream)
        give_up_at = time.monotonic() + START_SECONDS
        while not answers():
            if self.process.poll() is not None or time.monotonic() > give_up_at:
                raise RuntimeError(f"{command[0]} did not start: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.02)

    def end(self, number: signal.Signals) -> None:
        """End the server with a signal, also when it is suspended; safe to call when it has ended."""
        if self.process is None:
            return
        self.process.send_signal(number)
        self.resume()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._signal_all(signal.SIGKILL)
            self.process.wait()
        self.process = None

    def suspend(self) -> None:
        """Stop the server and its children from running (SIGSTOP): their sockets stay open and nobody answers."""
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a suspended server go on."""
        self._signal_all(signal.SIGCONT)

    def remove(self) -> None:
        """Delete the server's folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *command: str) -> None:
        """Run one of the server's tools to its end, under the server's account."""
        subprocess.run(command, check=True, capture_output=True, cwd=self.folder, timeout=START_SECONDS, **self.account)

    def _spawn(self, command: Sequence[str], stream: IO[bytes]) -> "subprocess.Popen[bytes]":
        # A session of its own: Ctrl-C in the terminal of a long run ends the run, which then ends the server in order.
        return subprocess.Popen(
            command, stdout=stream, stderr=stream, cwd=self.folder, start_new_session=True, **self.account
        )

    def _signal_all(self, number: signal.Signals) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        # The parent first: it cannot fork another child once it is stopped.
        self.process.send_signal(number)
        for child in children(self.process.pid):
            signal_process(child, number)


def children(pid: int) -> list[int]:
    """Return the process ids of a process's children."""
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def signal_process(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process that may have ended meanwhile."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)
