"""A small egress proxy: hosts that only it can reach, who was asked for, and tinyproxy in front of it."""

import contextlib
import http.client
import shutil
import subprocess
import threading
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from bot.tests.support.processes import wait_for
from bot.tests.system.faults.binaries import free_port

USER, PASSWORD = "egress", "canary-of-the-proxy"


class EgressProxy:
    """Knows where some hosts are; asked notes (method, host, who asked). It opens no tunnels."""

    def __init__(self, hosts: dict[str, str]) -> None:
        self.hosts = hosts
        self.asked: list[tuple[str, str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @contextlib.contextmanager
    def running(self) -> Iterator["EgressProxy"]:
        """Serve until the block ends."""
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


def _handler(proxy: EgressProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            self._note(self.path)
            self.send_error(403)

        def do_GET(self) -> None:
            wanted = urlsplit(self.path)
            self._note(str(wanted.hostname))
            behind = urlsplit(proxy.hosts[str(wanted.hostname)])
            client = http.client.HTTPConnection(behind.netloc, timeout=10)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {
                name: value for name, value in self.headers.items() if not name.lower().startswith(("proxy-", "host"))
            }
            client.request(self.command, f"{wanted.path}?{wanted.query}".removesuffix("?"), body, headers)
            answer = client.getresponse()
            content = answer.read()
            self.send_response(answer.status)
            for name in ("Content-Type", "x-request-id"):
                if value := answer.getheader(name):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            client.close()

        do_POST = do_GET  # noqa: N815

        def _note(self, host: str) -> None:
            proxy.asked.append((self.command, host, self.headers.get("Proxy-Authorization", "")))

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Handler


def basic(user: str = USER, password: str = PASSWORD) -> str:
    """Return how a proxy is told who asks."""
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"


@contextlib.contextmanager
def running_tinyproxy(folder: Path, behind: EgressProxy) -> Iterator[str]:
    """Run Debian's tinyproxy, which asks who wants to pass, in front of the other one; yield its URL."""
    binary, port = shutil.which("tinyproxy"), free_port()
    assert binary
    upstream = urlsplit(behind.url).netloc
    hosts = "".join(f'Upstream http {upstream} "{host}"\n' for host in behind.hosts)
    (folder / "tinyproxy.conf").write_text(
        f'Port {port}\nListen 127.0.0.1\nTimeout 20\nMaxClients 20\nLogFile "{folder}/tinyproxy.log"\n'
        f'PidFile "{folder}/tinyproxy.pid"\nBasicAuth {USER} {PASSWORD}\n{hosts}'
    )
    process = subprocess.Popen([binary, "-d", "-c", str(folder / "tinyproxy.conf")], stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: _listens(port), "tinyproxy listens")
        yield f"http://{USER}:{PASSWORD}@127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _listens(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    with contextlib.suppress(OSError):
        connection.connect()
        connection.close()
        return True
    return False
