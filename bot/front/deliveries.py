"""The front's entrance to webhooks: the body is read on the event loop, and what it holds is written together."""

import asyncio
from urllib.parse import parse_qsl

from django.conf import settings

from bot import webhooks
from bot.channels.events import WebhookRequest
from bot.errors import AppError, ErrorCode
from bot.front.apart import LARGE_BYTES, Parser
from bot.front.arrivals import Arrivals
from bot.front.bodies import read_body
from bot.front.intake import Intake
from bot.front.protocol import Connection, Scope
from bot.front.room import Room
from bot.queue.accept import prepare
from bot.queue.received import Stored
from bot.queue.snapshot import MISSED_SECONDS, ActiveBot, Directory, latest
from bot.web.answers import Answer, refusal
from bot.webhooks import Call

BODY_SECONDS = 10.0
# Bodies on their way, each a connection that somebody can hold with one byte; and what all the large ones hold.
MOST_BODIES = 4_000
MOST_BYTES = 32 * 1024 * 1024


class Deliveries:
    """Answers the requests of webhook URLs."""

    def __init__(self, intake: Intake, parser: Parser) -> None:
        self._intake, self._parser = intake, parser
        self._arrivals = Arrivals(intake)
        self._room = Room(MOST_BODIES, MOST_BYTES)
        self.most_bytes = settings.WEBHOOK_MAX_BYTES

    async def answer(self, scope: Scope, connection: Connection) -> Answer:
        """Return what a provider is answered, whatever goes wrong."""
        channel = slug = ""
        try:
            channel, slug = names_in(scope.path)
            if scope.method != "POST":
                query = dict(parse_qsl(scope.query_string, keep_blank_values=True))
                call = Call(scope.method, channel, slug, query, WebhookRequest(scope.headers, b""))
                found, _ = await self._judge(call)
                return found if isinstance(found, Answer) else webhooks.OK
            body = await read_body(scope, connection, self._room, most_bytes=self.most_bytes, seconds=BODY_SECONDS)
            try:
                await self._deliver(Call("POST", channel, slug, {}, WebhookRequest(scope.headers, body.content)))
                return webhooks.OK
            finally:
                body.close()
        except Exception as error:
            return refusal(error, webhooks.known_ids(latest(), channel, slug), webhook=True)

    async def _deliver(self, call: Call) -> None:
        """Return once a delivery is committed."""
        body = call.request.body
        if len(body) > LARGE_BYTES:
            bot, bots = await self._judge(call)
            events = await self._parser.parse(bot_of(bot), body)
        else:
            known = latest()
            try:
                await self._arrivals.take(call)
                return
            except AppError as error:
                bot, bots = await self._judge_again(call, error, known)
            events = webhooks.parse(bot_of(bot), body)
        stored: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()
        self._intake.store(prepare(bots, bot_of(bot), events, body), stored)
        await stored

    async def _judge(self, call: Call) -> tuple[Answer | ActiveBot, Directory]:
        bots = await self._intake.bots()
        try:
            return webhooks.judge(bots, call), bots
        except AppError as error:
            return await self._judge_again(call, error, bots)

    async def _judge_again(
        self, call: Call, error: AppError, known: Directory | None
    ) -> tuple[Answer | ActiveBot, Directory]:
        """Judge by a newer directory what was refused by the one that is known: the bot may be new, or its secret."""
        if error.code != ErrorCode.UNAUTHORIZED:
            raise error
        newer = await self._intake.bots(MISSED_SECONDS)
        if newer is known:
            raise error
        return webhooks.judge(newer, call), newer


def bot_of(judged: Answer | ActiveBot) -> ActiveBot:
    """Return the bot that a delivery is for: only a GET is answered without one."""
    assert isinstance(judged, ActiveBot)  # noqa: S101
    return judged


def names_in(path: str) -> tuple[str, str]:
    """Return the channel and the bot's slug that a webhook's path names.

    Raises:
        AppError: NOT_FOUND, it is no webhook's.
    """
    parts = path.removesuffix("/").split("/")  # "", "webhooks", channel, slug
    if len(parts) != 4 or not parts[2] or not parts[3]:
        raise AppError(ErrorCode.NOT_FOUND, "no such URL")
    return parts[2], parts[3]
