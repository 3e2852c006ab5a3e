"""The one view behind every webhook URL: find the bot, verify, parse, store, answer."""

import logging
from collections.abc import Iterator, Mapping

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from bot import inbox
from bot.channels.base import InvalidBody, WebhookRequest
from bot.directory import ActiveBot, find_bot
from bot.errors import AppError, ErrorCode
from bot.metrics import count

logger = logging.getLogger(__name__)

OK_BODY = b'{"status":"ok"}'


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
def receive(request: HttpRequest, channel: str, slug: str) -> HttpResponse:
    """Answer a provider: GET registers the webhook, POST delivers events.

    200 means committed. 400: not the channel's format. 403: not genuine. 404: no such active bot. 405: another method.
    413: over WEBHOOK_MAX_BYTES. 503: the database could not store it, the provider should deliver it again.
    """
    try:
        bot = find_bot(channel, slug)
        if bot is None:
            raise AppError(ErrorCode.NOT_FOUND, "no active bot has this webhook URL", status_code=404)
        if request.method == "POST":
            return _deliver(bot, request)
        if request.method == "GET":
            return _handshake(bot, request)
    except AppError as error:
        logger.warning("webhook_refused", extra={"channel": channel, "bot": slug, "code": error.code, **error.context})
        return _error(error)
    except DatabaseError as error:
        # No exc_info: a database error may quote the row it was given.
        logger.error("webhook_not_stored", extra={"channel": channel, "bot": slug, "error": type(error).__name__})
        response = _error(AppError(ErrorCode.DATABASE_ERROR, "not stored, deliver it again", status_code=503))
        response["Retry-After"] = "5"
        return response
    return _error(AppError(ErrorCode.INVALID_INPUT, "use GET or POST", status_code=405))


def _deliver(bot: ActiveBot, request: HttpRequest) -> HttpResponse:
    body = _read_body(request)
    if not bot.channel.verify(bot.account, WebhookRequest(headers=Headers(request), body=body)):
        raise AppError(ErrorCode.UNAUTHORIZED, "the signature is missing or wrong", status_code=403)
    try:
        events = bot.channel.parse(bot.account, body)
    except InvalidBody as error:
        raise AppError(ErrorCode.INVALID_INPUT, str(error), status_code=400) from error
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


def _handshake(bot: ActiveBot, request: HttpRequest) -> HttpResponse:
    answer = bot.channel.handshake(bot.account, request.GET)
    if answer is None:
        raise AppError(ErrorCode.UNAUTHORIZED, "the verify token is missing or wrong", status_code=403)
    return HttpResponse(answer, content_type="text/plain; charset=utf-8")


def _read_body(request: HttpRequest) -> bytes:
    too_large = AppError(
        ErrorCode.PAYLOAD_TOO_LARGE, f"the body is larger than {settings.WEBHOOK_MAX_BYTES} bytes", status_code=413
    )
    try:
        # Judged by Content-Length before a byte is read; without one, WSGI gives no body at all.
        return request.body
    except RequestDataTooBig:
        raise too_large from None
    except (UnreadablePostError, ValueError):
        # (ValueError: the Content-Length is no number. Servers refuse that themselves; Django does not.)
        raise AppError(ErrorCode.INVALID_INPUT, "the body ended early or has no length", status_code=400) from None


def _error(error: AppError) -> JsonResponse:
    count("webhooks_refused", code=str(error.code))
    return JsonResponse({"status": "error", "code": error.code, "detail": error.detail}, status=error.status_code)
