"""What machines are answered: JSON with a code, whatever carries it (Django or the front)."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.db import Error as DatabaseError

from bot.errors import AppError, ErrorCode
from bot.monitoring.metrics import count

logger = logging.getLogger(__name__)

JSON = "application/json"
RETRY_AFTER_SECONDS = 5
# What a browser may make of an answer that is for a machine: nothing.
MACHINE_HEADERS = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'"}


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, a body and its type; retry_after: seconds, where trying again later helps; allow: methods, for 405."""

    status: int
    body: bytes
    content_type: str = JSON
    retry_after: int | None = None
    allow: str = ""

    def headers(self) -> list[tuple[str, str]]:
        """Return its headers, in lower case."""
        headers = [("content-type", self.content_type), ("content-length", str(len(self.body)))]
        if self.retry_after is not None:
            headers.append(("retry-after", str(self.retry_after)))
        if self.allow:
            headers.append(("allow", self.allow))
        return headers


def refusal(error: Exception, ids: Mapping[str, str], *, webhook: bool = False) -> Answer:
    """Log what answering a machine has raised, and return what it is answered with.

    ids: what the request was found to be about. Anything can stand in its URL, and that is never logged.
    """
    known = as_app_error(error)
    if webhook:
        count("webhooks_refused", code=known.code)
    facts = {**ids, "code": known.code}
    if known.code == ErrorCode.INTERNAL_ERROR:
        logger.error("request_crashed", extra=facts, exc_info=error)
    else:
        level = logging.ERROR if known.status_code >= 500 else logging.WARNING
        logger.log(level, "request_refused", extra={**facts, "detail": known.detail, **known.context})
    return answer_of(known)


def answer_of(error: AppError, allow: str = "") -> Answer:
    """Return what a machine is answered for a known error."""
    body = json.dumps({"status": "error", "code": error.code, "detail": error.detail})
    retry_after = RETRY_AFTER_SECONDS if error.retryable and error.status_code == 503 else None
    return Answer(error.status_code, body.encode(), retry_after=retry_after, allow=allow)


def as_app_error(error: Exception) -> AppError:
    """Return an error as one with a code; what nobody foresaw is an INTERNAL_ERROR."""
    if isinstance(error, AppError):
        return error
    if isinstance(error, DatabaseError):
        # Without the exception: it may quote the row it was given.
        detail, context = "the database is not available, try again later", {"error": type(error).__name__}
        return AppError(ErrorCode.DATABASE_ERROR, detail, retryable=True, context=context)
    if isinstance(error, SuspiciousOperation | BadRequest):
        return AppError(ErrorCode.INVALID_INPUT, "the request can't be read")
    return AppError(ErrorCode.INTERNAL_ERROR, "an unexpected error, which was logged")
