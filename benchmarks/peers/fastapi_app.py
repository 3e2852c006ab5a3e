"""The FastAPI peer: the same on uvicorn with asyncpg's pool, which is PostgreSQL only."""

import hashlib
import hmac
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg  # type: ignore[import-untyped]
from fastapi import FastAPI, Request, Response

from benchmarks.payloads import APP_SECRET, WEBHOOK_PATH

SECRET = APP_SECRET.encode()
INSERT = (
    "INSERT INTO peer_inbound (bot_id, external_id, address, payload) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING"
)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Keep a pool of connections as long as the server runs."""
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=4, max_size=10) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)


@app.post(WEBHOOK_PATH)
async def receive(request: Request) -> Response:
    """Store the message of one webhook."""
    body = await request.body()
    expected = "sha256=" + hmac.digest(SECRET, body, hashlib.sha256).hex()
    if not hmac.compare_digest(expected, request.headers.get("X-Hub-Signature-256", "")):
        return Response(status_code=403)
    message = json.loads(body)["entry"][0]["changes"][0]["value"]["messages"][0]
    await request.app.state.pool.execute(INSERT, 1, message["id"], message["from"], json.dumps(message["text"]))
    return Response(b'{"status":"ok"}', media_type="application/json")
