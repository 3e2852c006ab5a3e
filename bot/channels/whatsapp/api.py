"""Calls of the Cloud API, and what each way they can fail means for the message (or the question)."""

import json
import math
import re
from typing import Any
from urllib.parse import quote

import aiohttp
from django.conf import settings

from bot.channels.connection import Account
from bot.channels.sending import SendError
from bot.channels.whatsapp.fields import ACCOUNT_CODES, identifier, is_phone_number_id
from config.egress import through

# Connecting (waiting for a free connection included) ends well before the whole call does, so that a time-out tells
# whether anything was sent.
TIMEOUT = aiohttp.ClientTimeout(total=30, connect=10)
# Somebody waits in front of a page for it.
READ_TIMEOUT = aiohttp.ClientTimeout(total=10, connect=5)

TOKEN_REFUSED = 190
INVALID = 100
# 0: it cannot be read at all. 102: its session is over.
TOKEN_CODES = frozenset({0, 102, TOKEN_REFUSED})
PAIR_LIMIT = 131056
LARGEST_CODE = 999_999_999
# Throttling and outages: the same message is worth another try.
RETRYABLE_CODES = frozenset({2, 4, 80007, 130429, 131016, PAIR_LIMIT})
# Never worth another try, whatever the HTTP status: window closed, not on WhatsApp, marked as spam, unsupported, token.
FINAL_CODES = frozenset({INVALID, TOKEN_REFUSED, 131026, 131047, 131048, 131051})
# 100 is an invalid value of this request; with this subcode, that the token sees no such phone number.
NO_SUCH_OBJECT = re.compile(r"object\b.*\bdoes not exist", re.IGNORECASE | re.DOTALL)
NO_SUCH_OBJECT_SUBCODE = 33
# One message per 6 seconds to one person, says the documentation of the pair limit; no header does.
PAIR_LIMIT_SECONDS = 6.0
LONGEST_RETRY_AFTER = 3_600.0
# What Meta's support asks for. It is logged, so only what looks like one: a text could be anything.
TRACE_ID = re.compile(r"[\w-]{1,64}", re.ASCII)


async def post(client: aiohttp.ClientSession, account: Account, content: dict[str, Any]) -> Any:
    """Post to the account's messages endpoint and return the parsed answer of a success.

    Raises:
        SendError: see there; uncertain from the moment the request may have gone out until it was answered readably.
    """
    return await _call(client, account, "messages", json=content)


async def read(client: aiohttp.ClientSession, account: Account, fields: str) -> Any:
    """Return what the account says of itself: the parsed answer of a success, which holds the fields (and the id).

    Raises:
        SendError: it was refused, or not answered readably. (Nothing was sent: whether it is uncertain means nothing.)
    """
    return await _call(client, account, "", method="GET", timeout=READ_TIMEOUT, params={"fields": fields})


async def upload(client: aiohttp.ClientSession, account: Account, filename: str, content: bytes, kind: str) -> str:
    """Upload a file of a media type and return its id, for messages of this account in the next 30 days.

    Raises:
        SendError: it was not taken. Never uncertain: a file that lies there for nothing was sent to nobody.
    """
    form = aiohttp.FormData({"messaging_product": "whatsapp", "type": kind})
    form.add_field("file", content, filename=filename, content_type=kind)
    try:
        answer = await _call(client, account, "media", data=form)
    except SendError as error:
        if error.uncertain:
            raise SendError(error.code, retryable=True, retry_after=error.retry_after) from None
        raise
    media_id = identifier(answer.get("id")) if isinstance(answer, dict) else ""
    if not media_id:
        raise SendError("no_media_id", retryable=True)
    return media_id


async def _call(
    client: aiohttp.ClientSession,
    account: Account,
    endpoint: str,
    *,
    method: str = "POST",
    **content: Any,
) -> Any:
    url = f"{settings.WHATSAPP_API_URL}/{quote(account.account_id, safe='')}/{endpoint}".removesuffix("/")
    options = {"headers": {"Authorization": f"Bearer {_token(account)}"}, "timeout": TIMEOUT, **content}
    try:
        proxy = through(settings.WHATSAPP_API_URL)
    except ValueError:
        raise SendError("proxy_wrong", retryable=True) from None
    try:
        # A redirect would carry the message, and a careless client the token, to another place.
        async with client.request(method, url, allow_redirects=False, **proxy, **options) as response:
            status, retry_after = response.status, _retry_after(response.headers.get("Retry-After"))
            answer = _parsed(await response.read())
    # Each without its original: aiohttp's errors may show the authorization header, and tracebacks are logged.
    except (aiohttp.ClientConnectorError, aiohttp.ClientHttpProxyError, aiohttp.ConnectionTimeoutError):
        # No connection, no request: nothing was sent.
        raise SendError("unreachable", retryable=True) from None
    except aiohttp.InvalidURL:
        raise SendError("invalid_url") from None
    except TimeoutError:
        raise SendError("timeout", uncertain=True) from None
    except (aiohttp.ClientError, OSError):
        raise SendError("connection_lost", uncertain=True) from None
    code = _graph_code(answer)
    if code is not None:
        raise _graph_error(status, answer["error"], code, retry_after)
    if status != 200:
        raise _unreadable_error(status, retry_after)
    return answer


def _token(account: Account) -> str:
    token = account.credentials.get("access_token", "").strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise SendError("access_token_missing", credentials_refused=True)
    if not account.account_id:
        raise SendError("phone_number_id_missing", credentials_refused=True)
    if not is_phone_number_id(account.account_id):
        # Whatever was stored: ".." would take the token to another path of the same host.
        raise SendError("phone_number_id_wrong", credentials_refused=True)
    return token


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _graph_code(answer: Any) -> int | None:
    """Return the error code of a Graph API answer, if it is one."""
    error = answer.get("error") if isinstance(answer, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    # (Stored as it is: a number of a thousand digits fits no column.)
    return code if type(code) is int and abs(code) <= LARGEST_CODE else None


def _trace_id(error: dict[str, Any]) -> str:
    """Return the id of a Graph API error, empty when it has none."""
    trace_id = error.get("fbtrace_id")
    return trace_id if isinstance(trace_id, str) and TRACE_ID.fullmatch(trace_id) else ""


def _is_of_account(error: dict[str, Any], code: int) -> bool:
    """Return whether a Graph API error is about the whole account, and not about this message."""
    if code != INVALID:
        return code in ACCOUNT_CODES
    message = error.get("message")
    # (Relays drop the subcode.)
    said = isinstance(message, str) and NO_SUCH_OBJECT.search(message[:1_000])
    return error.get("error_subcode") == NO_SUCH_OBJECT_SUBCODE or bool(said)


def _graph_error(status: int, error: dict[str, Any], code: int, retry_after: float | None) -> SendError:
    """Return what an error that the Graph API itself reports means: the message was not sent."""
    temporary = (status == 429 or status >= 500) and code not in FINAL_CODES
    retryable = code in RETRYABLE_CODES or temporary
    if retry_after is None and code == PAIR_LIMIT:
        retry_after = PAIR_LIMIT_SECONDS
    return SendError(
        str(code),
        retryable=retryable,
        retry_after=retry_after,
        credentials_refused=code in TOKEN_CODES or status == 401,
        account_refused=not retryable and _is_of_account(error, code),
        provider_request_id=_trace_id(error),
    )


def _unreadable_error(status: int, retry_after: float | None) -> SendError:
    """Return what a refusal without a Graph error means."""
    if status >= 500:
        # A gateway said this, not the API: it may have passed the request on before it gave up on the answer. To send
        # again could send twice.
        return SendError(f"http_{status}", uncertain=True)
    # Refused at the door, before anything was sent: only throttling passes by itself.
    return SendError(
        f"http_{status}", retryable=status == 429, retry_after=retry_after, credentials_refused=status == 401
    )


def _retry_after(value: str | None) -> float | None:
    """Return the seconds of a Retry-After header. Its other form, a date, is not used by this API."""
    try:
        seconds = float(value or "")
    except ValueError:
        return None
    return min(seconds, LONGEST_RETRY_AFTER) if math.isfinite(seconds) and seconds >= 0 else None
