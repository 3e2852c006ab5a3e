"""Run a stand-in as a process of its own: `python -m bot.dev.standins model --port 0 --log model.jsonl --delay 3`."""

import argparse
import asyncio
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.dev.standins.channel import WhatsAppStandIn
from bot.dev.standins.model import ModelStandIn
from bot.dev.standins.server import StandInServer

BACKLOG = 4096
# Longer than any run: a stand-in that closes idle connections would look like an unreliable provider.
KEEPALIVE_SECONDS = 3600
LARGEST_BODY_BYTES = 101 * 1024 * 1024


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bot.dev.standins", description=__doc__)
    kinds = parser.add_subparsers(dest="kind", required=True)
    for kind in (ModelStandIn, WhatsAppStandIn):
        sub = kinds.add_parser(kind.name, help=kind.__doc__)
        sub.add_argument("--port", type=int, default=0, help="0: any free port")
        sub.add_argument("--log", type=Path, help="file to append one JSON line a request to")
        sub.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
        if kind is ModelStandIn:
            sub.add_argument("--reply", help="answer this instead of an echo")
    return parser.parse_args()


def create(options: argparse.Namespace) -> StandInServer:
    """Return the stand-in the command line asks for."""
    if options.kind == ModelStandIn.name:
        return ModelStandIn(options.log, options.delay, options.reply)
    return WhatsAppStandIn(options.log, options.delay)


def request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
    """Return a request whose body may be as large as an upload."""
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=LARGEST_BODY_BYTES)


async def serve(stand_in: StandInServer, port: int) -> None:
    """Serve on loopback until SIGTERM or SIGINT; say on one line where."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    # A handler ends with its connection: one that hangs for a client which gave up would stay for ever.
    server = web.Server(
        stand_in.handle,
        request_factory=request,
        handler_cancellation=True,
        access_log=None,
        keepalive_timeout=KEEPALIVE_SECONDS,
    )
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, backlog=BACKLOG, reuse_address=True)
    await site.start()
    listening: socket.socket = site._server.sockets[0]  # type: ignore[union-attr]  # aiohttp has no public way to the port
    sys.stdout.write(f"listening on http://127.0.0.1:{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    await stop.wait()
    await runner.cleanup()


if __name__ == "__main__":
    chosen = arguments()
    asyncio.run(serve(create(chosen), chosen.port))
