"""The worker process: claim waiting chats and answer their turns concurrently in one event loop."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import aiohttp
from django.conf import settings

from bot.ai import create_model
from bot.ai.base import LanguageModel
from bot.monitoring import heartbeats
from bot.pipeline.limiter import Limiter
from bot.pipeline.services import Services
from bot.pipeline.turn import Turn
from bot.worker import claims, replies
from bot.worker.answering import Answering
from bot.worker.delivery import Delivery
from bot.worker.upkeep import Upkeep
from config.db.batching import Database
from config.db.database_thread import DatabaseThread, is_program_error
from config.db.gathering import WhileTheyCome

logger = logging.getLogger(__name__)

IDLE_POLL_SECONDS = 0.02
# People who were just answered often write again.
BUSY_POLL_SECONDS = 0.008
BUSY_SECONDS = 2.0
FAILED_POLL_SECONDS = 1.0
# Per claim: loading a thousand turns at once would raise the process's peak memory for good.
MOST_CLAIMED = 200
# With FULL_GATHER_TURNS turns, writes wait so long to form a batch; with fewer, proportionally less.
GATHER_SECONDS = 0.02
FULL_GATHER_TURNS = 100
DRAIN_SECONDS = 30.0
# To release unfinished turns; then a database that does not answer is abandoned.
GIVE_BACK_SECONDS = 5.0
# To providers' APIs, which are quick; the model has a limit of its own.
CONNECTIONS = 100
# Short, because a request on a connection that the provider has just closed is an uncertain send.
KEEPALIVE_SECONDS = 15.0


@dataclass(slots=True)
class Worker:
    """One worker process: run() works until stop() is called, then drains. model_factory creates the model."""

    concurrency: int
    model_factory: Callable[[], LanguageModel] = field(default=lambda: create_model(settings.LLM_PROVIDER))
    name: str = field(default_factory=heartbeats.process_name)
    _database: Database = field(init=False)
    _side_thread: DatabaseThread = field(default_factory=lambda: DatabaseThread(keeps_connection=False))
    _answering: Answering = field(init=False)
    _active: dict[asyncio.Task[None], Turn] = field(default_factory=dict)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _stopped_at: float = 0.0
    _ended_at: float = 0.0

    async def run(self) -> None:
        """Work until stopped; then drain for DRAIN_SECONDS at most, release unfinished turns and close everything."""
        self._database = Database(WhileTheyCome(self._gather_seconds))
        connector = aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=KEEPALIVE_SECONDS)
        async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as client:
            model = self.model_factory()
            limiter = Limiter(settings.REDIS_URL)
            services = Services(self._database, model, client, limiter, self._side_thread)
            store = self._database.batch(replies.store_replies, self.name)
            self._answering = Answering(self.name, services, Delivery(self.name, self._database, client), store)
            upkeep = Upkeep(self.name, self._database, lambda: [turn.lease for turn in self._active.values()])
            upkeep.begin()
            logger.info("worker_started", extra={"worker": self.name, "concurrency": self.concurrency})
            try:
                await self._poll()
                await self._drain()
            finally:
                for task in services.background:
                    task.cancel()
                await asyncio.gather(*services.background, return_exceptions=True)
                await model.close()
                await upkeep.end()
                await self._side_thread.close()
                await self._database.close()
                await limiter.close()
        logger.info("worker_stopped", extra={"worker": self.name})

    def _gather_seconds(self) -> float:
        return GATHER_SECONDS * min(len(self._active) / FULL_GATHER_TURNS, 1.0)

    def stop(self) -> None:
        """Stop claiming and let run() end."""
        self._stopping.set()
        self._wake.set()
        self._stopped_at = self._stopped_at or time.monotonic()
        loop = asyncio.get_running_loop()
        loop.call_later(DRAIN_SECONDS, self._side_thread.abort)
        loop.call_later(DRAIN_SECONDS + GIVE_BACK_SECONDS, self._database.abort)

    async def _poll(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            pause = BUSY_POLL_SECONDS if time.monotonic() - self._ended_at < BUSY_SECONDS else IDLE_POLL_SECONDS
            free = min(self.concurrency - len(self._active), MOST_CLAIMED)
            if free > 0:
                try:
                    turns = await self._database.run(self._claiming(free))
                except Exception as error:
                    # The worker survives any error: an unavailable database, an unreadable row.
                    logger.error(
                        "claim_failed", extra={"error": type(error).__name__}, exc_info=is_program_error(error)
                    )
                    turns, pause = [], FAILED_POLL_SECONDS
                for turn in turns:
                    self._begin(turn)
                if turns:
                    continue
            await self._wait(pause)

    def _claiming(self, most: int) -> Callable[[], list[Turn]]:
        has_suspect = any(turn.lease.is_suspect for turn in self._active.values())
        return partial(claims.claim, self.name, most, suspect=not has_suspect, idle=not self._active)

    async def _wait(self, seconds: float) -> None:
        # Poll at once: the chat may have more to answer, and there is room for another turn.
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass

    def _begin(self, turn: Turn) -> None:
        task = asyncio.create_task(self._answering.work(turn))
        self._active[task] = turn
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._active.pop(task, None)
        self._ended_at = time.monotonic()
        self._wake.set()

    async def _drain(self) -> None:
        if self._active:
            logger.info("worker_draining", extra={"worker": self.name, "turns": len(self._active)})
            # Counted from the signal, because a hanging database may have delayed the last claim.
            await asyncio.wait(self._active, timeout=max(self._stopped_at + DRAIN_SECONDS - time.monotonic(), 0))
        left = dict(self._active)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        if left:
            await self._give_back(list(left.values()))

    async def _give_back(self, turns: list[Turn]) -> None:
        try:
            await self._database.run(claims.release, self.name, turns)
        except Exception as error:
            # Their leases expire, and another worker claims them.
            logger.error("turns_left_to_leases", extra={"turns": len(turns), "error": type(error).__name__})
