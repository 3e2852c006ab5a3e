"""Start Parley's processes as the Procfile does, and other web servers under the same flags."""

import http.client
import re
import shlex
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.databases import Database
from benchmarks.machine import free_port, wait_until
from benchmarks.processes import PROJECT, Run, Running, environment, running

START_SECONDS = 30
# What a run chooses itself.
OWN = ("--interface", "--host", "--port", "--uds", "--uds-permissions")
PRIVATE = ("--uds-permissions", "600")
SHELL_DEFAULT = re.compile(r"\$\{\w+:-([^}]*)\}")


@dataclass(frozen=True, slots=True)
class Web:
    """A web server as its clients see it: both processes listen for one port."""

    front: Running
    pages: Running

    @property
    def port(self) -> int:
        """The front's port."""
        return self.front.port


def procfile_flags(process: str) -> tuple[str, ...]:
    """Return granian's flags of a line of the Procfile, without address and application: what is measured ships."""
    lines = (PROJECT / "Procfile").read_text().splitlines()
    line = next(line for line in lines if line.startswith(f"{process}:"))
    words = shlex.split(SHELL_DEFAULT.sub(r"\1", line))
    flags = words[words.index("granian") + 1 : -1]
    for name in OWN:
        if name in flags:
            position = flags.index(name)
            del flags[position : position + 2]
    return tuple(flags)


def granian(interface: str, flags: Sequence[str], application: str, *address: str) -> list[str]:
    """Return the command that serves an application; without an address at a port of loopback."""
    place = address or ("--host", "127.0.0.1", "--port", "{port}")
    return [sys.executable, "-m", "granian", "--interface", interface, *place, *flags, application]


def plain_wsgi(application: str) -> list[str]:
    """Return the command that serves a WSGI application at a port, with the flags of Parley's pages."""
    return granian("wsgi", procfile_flags("pages"), application)


@contextmanager
def served(name: str, command: Sequence[str], run: Run, env: Mapping[str, str]) -> Iterator[Running]:
    """Run a web server (`{port}` in the command is its port) that answers when the block begins."""
    port = free_port()
    with running(name, [word.format(port=port) for word in command], run, env, port) as server:
        wait_until(lambda: answers(port), START_SECONDS, f"{name} starts (see {server.log})")
        yield server


@contextmanager
def front(run: Run, database: Database, **variables: str) -> Iterator[Running]:
    """Run Parley's web process without pages behind it: it answers webhooks and probes."""
    env = environment(database, **{"PAGES_SOCKET": str(run.directory / "pages.sock"), **variables})
    with served("web", granian("rsgi", run.server, "config.rsgi:application"), run, env) as server:
        yield server


@contextmanager
def web(run: Run, database: Database, **variables: str) -> Iterator[Web]:
    """Run Parley's web process and the pages behind it."""
    path = run.directory / "pages.sock"
    env = environment(database, **{"PAGES_SOCKET": str(path), **variables})
    command = granian("wsgi", procfile_flags("pages"), "config.wsgi:application", "--uds", str(path), *PRIVATE)
    with running("pages", command, run, env) as pages:
        wait_until(lambda: listens(path), START_SECONDS, f"the pages start (see {pages.log})")
        with front(run, database, **variables) as server:
            yield Web(server, pages)


@contextmanager
def worker(
    run: Run, database: Database, model_url: str, channel_url: str, concurrency: int = 100, name: str = "worker"
) -> Iterator[Running]:
    """Run one worker process against the stand-ins; it waits for messages when the block begins."""
    env = environment(
        database,
        LLM_PROVIDER="openai",
        OPENAI_BASE_URL=f"{model_url}/v1",
        WHATSAPP_API_URL=f"{channel_url}/v26.0",
        RATE_LIMIT_PER_USER="100000",
    )
    command = [sys.executable, "manage.py", "runworker", "--concurrency", str(concurrency)]
    with running(name, command, run, env) as process:
        wait_until(lambda: "worker_started" in process.log.read_text(), START_SECONDS, "the worker starts")
        yield process


def listens(path: Path) -> bool:
    """Return whether somebody listens on a Unix socket."""
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


def answers(port: int) -> bool:
    """Return whether a server answers HTTP there, whatever it says."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        client.request("GET", "/healthz")
        client.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        client.close()
    return True
