"""The one view behind every webhook URL: find the bot, verify, parse, store, answer."""

import logging
import secrets
from collections.abc import Iterator, Mapping

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from bot import inbox
from bot.channels.base import Account, InvalidBody, WebhookRequest
from bot.channels.registry import get_channel
from bot.directory import ActiveBot, find_bot, look_again
from bot.errors import AppError, ErrorCode

logger = logging.getLogger(__name__)

OK_BODY = b'{"status":"ok"}'
# The one answer to whoever cannot prove who they are, also where nobody is: nobody learns which bots exist.
REFUSED = "the signature or the verify token is missing or wrong, or no active bot has this webhook URL"
# What a request to a bot that is not there is checked with: it takes as long, and nobody knows the secrets.
NOBODY = get_channel("whatsapp")
NOBODYS_ACCOUNT = Account(
    bot="",
    account_id="",
    credentials={"app_secret": secrets.token_hex(16), "verify_token": secrets.token_hex(16)},
)


class Headers(Mapping[str, str]):
    """A request's headers, looked up one by one: Django's request.headers first converts all there are."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    def __getitem__(self, name: str) -> str:
        value: str = self._request.META[f"HTTP_{name.upper().replace('-', '_')}"]
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._request.headers)

    def __len__(self) -> int:
        return len(self._request.headers)


@csrf_exempt
def receive(request: HttpRequest, channel: str, bot: str) -> HttpResponse:
    """Answer a provider: GET registers the webhook, POST delivers events. What it raises, bot.web_errors answers.

    200 means committed. 400: not the channel's format. 403: not genuine, or no such active bot. 405: another method.
    413: over WEBHOOK_MAX_BYTES. 503: the database could not store it, the provider should deliver it again.

    Raises:
        AppError: UNAUTHORIZED, INVALID_INPUT or PAYLOAD_TOO_LARGE.
        django.db.Error: it could not be stored.
    """
    addressed = find_bot(channel, bot)
    if addressed is not None:
        # (Only now: anything can stand in a URL, and these are logged.)
        request.known_ids = {"channel": channel, "bot": bot}  # type: ignore[attr-defined]
    if request.method == "POST":
        return _deliver(addressed, request)
    if request.method == "GET":
        return _handshake(addressed, request)
    raise AppError(ErrorCode.INVALID_INPUT, "use GET or POST", status_code=405)


def _deliver(bot: ActiveBot | None, request: HttpRequest) -> HttpResponse:
    body = _read_body(request)
    delivery = WebhookRequest(headers=Headers(request), body=body)
    if bot is None:
        NOBODY.verify(NOBODYS_ACCOUNT, delivery)
        raise _refusal("no_active_bot")
    if not bot.channel.verify(bot.account, delivery):
        look_again()
        raise _refusal("signature")
    try:
        events = bot.channel.parse(bot.account, body)
    except InvalidBody as error:
        raise AppError(ErrorCode.INVALID_INPUT, str(error)) from error
    accepted = inbox.accept(bot, events, body)
    logger.debug(
        "webhook_stored",
        extra={
            "bot": bot.slug,
            "new_messages": accepted.messages,
            "statuses": accepted.statuses,
            "rejected": accepted.rejected,
        },
    )
    response = HttpResponse(OK_BODY, content_type="application/json")
    # Without the middleware that would set it the server would send the few bytes in chunks.
    response["Content-Length"] = str(len(OK_BODY))
    return response


def _handshake(bot: ActiveBot | None, request: HttpRequest) -> HttpResponse:
    if bot is None:
        NOBODY.handshake(NOBODYS_ACCOUNT, request.GET)
        raise _refusal("no_active_bot")
    answer = bot.channel.handshake(bot.account, request.GET)
    if answer is None:
        look_again()
        raise _refusal("verify_token_or_challenge")
    return HttpResponse(answer, content_type="text/plain; charset=utf-8")


def _refusal(reason: str) -> AppError:
    """Return the refusal that everybody is answered alike; the log has the reason."""
    return AppError(ErrorCode.UNAUTHORIZED, REFUSED, context={"reason": reason})


def _read_body(request: HttpRequest) -> bytes:
    too_large = AppError(ErrorCode.PAYLOAD_TOO_LARGE, f"the body is larger than {settings.WEBHOOK_MAX_BYTES} bytes")
    try:
        # Judged by Content-Length before a byte is read; without one, WSGI gives no body at all.
        return request.body
    except RequestDataTooBig:
        raise too_large from None
    except (UnreadablePostError, ValueError):
        # (ValueError: the Content-Length is no number. Servers refuse that themselves; Django does not.)
        raise AppError(ErrorCode.INVALID_INPUT, "the body ended early or has no length") from None
