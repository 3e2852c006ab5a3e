"""What webhooks are: find the bot, verify, parse, store, answer. Two thin entrances call it: `receive`, and the front.

200 means committed. 400: not the channel's format. 403: not genuine, or no such active bot. 405: another method. 413:
over WEBHOOK_MAX_BYTES. 503: the database could not store it, the provider should deliver it again.
"""

import logging
import secrets
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from bot.channels.connection import Account
from bot.channels.events import Event, InvalidBody, WebhookRequest
from bot.channels.registry import get_channel
from bot.errors import AppError, ErrorCode
from bot.queue import accept, snapshot
from bot.queue.snapshot import ActiveBot, Directory
from bot.web.answers import Answer

logger = logging.getLogger(__name__)

OK = Answer(200, b'{"status":"ok"}')
# The one answer to whoever cannot prove who they are, also where nobody is: nobody learns which bots exist.
REFUSED = "the signature or the verify token is missing or wrong, or no active bot has this webhook URL"
# What a request to a bot that is not there is checked with: it takes as long, and nobody knows the secrets.
NOBODY = get_channel("whatsapp")
NOBODYS_ACCOUNT = Account(
    bot="",
    account_id="",
    credentials={"app_secret": secrets.token_hex(16), "verify_token": secrets.token_hex(16)},
)
PLAIN = "text/plain; charset=utf-8"


class Call(NamedTuple):
    """A request to a webhook URL before anything is believed about it: its method, whose URL it is, its query."""

    method: str
    channel: str
    slug: str
    query: Mapping[str, str]
    request: WebhookRequest


def judge(bots: Directory, call: Call) -> Answer | ActiveBot:
    """Return the answer to a registration, or the bot that a genuine delivery is for.

    Raises:
        AppError: UNAUTHORIZED (perhaps a newer directory knows better), or INVALID_INPUT: another method.
    """
    bot = bots.find_bot(call.channel, call.slug)
    channel, account = (bot.channel, bot.account) if bot else (NOBODY, NOBODYS_ACCOUNT)
    if call.method == "POST":
        if channel.verify(account, call.request) and bot is not None:
            return bot
        raise _refusal("signature" if bot else "no_active_bot")
    if call.method == "GET":
        challenge = channel.handshake(account, call.query)
        if challenge is not None and bot is not None:
            return Answer(200, challenge.encode(), PLAIN)
        raise _refusal("verify_token_or_challenge" if bot else "no_active_bot")
    raise AppError(ErrorCode.INVALID_INPUT, "use GET or POST", status_code=405)


def parse(bot: ActiveBot, body: bytes) -> Sequence[Event]:
    """Return the events of a genuine body.

    Raises:
        AppError: INVALID_INPUT, it is not the channel's format.
    """
    try:
        return bot.channel.parse(bot.account, body)
    except InvalidBody as error:
        raise AppError(ErrorCode.INVALID_INPUT, str(error)) from error


def known_ids(bots: Directory | None, channel: str, slug: str) -> dict[str, str]:
    """Return what may be logged of a webhook URL: only what names a bot, as anything can stand in a URL."""
    known = bots is not None and bots.find_bot(channel, slug) is not None
    return {"channel": channel, "bot": slug} if known else {}


@csrf_exempt
def receive(request: HttpRequest, channel: str, bot: str) -> HttpResponse:
    """Answer a provider under runserver or any WSGI server. What it raises, bot.web.error_pages answers.

    Raises:
        AppError: UNAUTHORIZED, INVALID_INPUT or PAYLOAD_TOO_LARGE.
        django.db.Error: it could not be stored.
    """
    body = _read_body(request) if request.method == "POST" else b""
    call = Call(request.method or "", channel, bot, request.GET, WebhookRequest(request.headers, body))
    bots = snapshot.current()
    request.known_ids = known_ids(bots, channel, bot)  # type: ignore[attr-defined]
    try:
        found = judge(bots, call)
    except AppError as error:
        if error.code != ErrorCode.UNAUTHORIZED:
            raise
        newer = snapshot.current(snapshot.MISSED_SECONDS)
        if newer is bots:
            raise
        bots = newer
        request.known_ids = known_ids(bots, channel, bot)  # type: ignore[attr-defined]
        found = judge(bots, call)
    if not isinstance(found, Answer):
        delivery = accept.prepare(bots, found, parse(found, body), body)
        accept.take([delivery])
        found = OK
    return HttpResponse(found.body, headers=dict(found.headers()))


def _refusal(reason: str) -> AppError:
    """Return the refusal that everybody is answered alike; the log has the reason."""
    return AppError(ErrorCode.UNAUTHORIZED, REFUSED, context={"reason": reason})


def too_large() -> AppError:
    """Return the refusal of a body over the limit."""
    return AppError(ErrorCode.PAYLOAD_TOO_LARGE, f"the body is larger than {settings.WEBHOOK_MAX_BYTES} bytes")


def _read_body(request: HttpRequest) -> bytes:
    try:
        # Judged by Content-Length before a byte is read. config/wsgi.py gives one to a body that came in chunks.
        return request.body
    except RequestDataTooBig:
        raise too_large() from None
    except (UnreadablePostError, ValueError):
        # (ValueError: the Content-Length is no number. Servers refuse that themselves; Django does not.)
        raise AppError(ErrorCode.INVALID_INPUT, "the body ended early or has no length") from None
