"""The reverse proxies of docs/deployment.md, run as they stand there, in front of a system under test."""

import os
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bot.tests.support.processes import PROJECT, wait_for
from bot.tests.system.faults.binaries import free_port

NAME = "parley.example.org"
# How a fenced block of the documentation begins → the program it is for.
BLOCKS = {"caddy": "caddyfile", "nginx": "nginx"}
NGINX_MAIN = """
{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/parley.conf;
}}
"""


def documented(kind: str) -> str:
    """Return the configuration that the documentation has for a proxy."""
    text = (PROJECT / "docs" / "deployment.md").read_text()
    (block,) = re.findall(rf"^```{BLOCKS[kind]}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return str(block)


def replaced(text: str, old: str, new: str) -> str:
    """Return a text in which a word that must be there is another."""
    assert old in text, f"the documented configuration does not hold {old!r}"
    return text.replace(old, new)


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that runs; `port` speaks TLS."""

    kind: str
    port: int

    def connect(self) -> ssl.SSLSocket:
        """Return a connection to it."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        return context.wrap_socket(plain, server_hostname=NAME)

    def answers(self) -> bool:
        """Return whether it takes connections."""
        try:
            self.connect().close()
        except OSError:
            return False
        return True


@contextmanager
def running_proxy(kind: str, folder: Path, webs: Sequence[int]) -> Iterator[Proxy]:
    """Yield a proxy in front of one or two web processes on these ports."""
    folder.mkdir()
    proxy, second = Proxy(kind, free_port()), webs[1] if len(webs) > 1 else free_port()
    text = replaced(replaced(documented(kind), "127.0.0.1:3000", f"127.0.0.1:{webs[0]}"), ":3001", f":{second}")
    certificate, key = make_certificate(folder)
    if kind == "caddy":
        text = replaced(text, "{\n    servers {", "{\n    admin off\n    auto_https disable_redirects\n    servers {")
        site = f"https://{NAME}:{proxy.port} {{\n    bind 127.0.0.1\n    tls {certificate} {key}\n"
        text = replaced(text, f"{NAME} {{\n", site)
        command = ["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "parley.conf")]
    else:
        text = replaced(text, "listen 443 ssl;", f"listen 127.0.0.1:{proxy.port} ssl;")
        text = replaced(text, "/etc/ssl/certs/parley.pem", str(certificate))
        text = replaced(text, "/etc/ssl/private/parley.key", str(key))
        # (Its children would be somebody who cannot write into the folder.)
        user = "user root;" if os.getuid() == 0 else ""
        (folder / "nginx.conf").write_text(NGINX_MAIN.format(folder=folder, user=user))
        command = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    (folder / "parley.conf").write_text(text)
    with (folder / "proxy.log").open("wb") as log, running(command, folder, log):
        wait_for(proxy.answers, f"{kind} answers")
        yield proxy


@contextmanager
def running(command: list[str], folder: Path, log: IO[bytes]) -> Iterator[None]:
    """Run a program for the length of the block."""
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin", "HOME": str(folder)}
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Return the files of a new certificate, which nobody trusts, and its key."""
    certificate, key = folder / "parley.pem", folder / "parley.key"
    words = ("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=" + NAME).split()
    subprocess.run(["openssl", *words, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


def reason_to_skip(kind: str) -> str:
    """Return why a proxy cannot be started here; empty when it can."""
    path = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin"
    missing = [name for name in (kind, "openssl") if shutil.which(name, path=path) is None]
    return f"not installed here: {', '.join(missing)}" if missing else ""
