"""View of /metrics for Prometheus, with a token or, outside production, from this machine."""

import logging

from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from bot.models import Counter
from bot.monitoring.metrics.access import given_token, is_metrics_token
from bot.monitoring.metrics.flushing import flush
from bot.monitoring.metrics.gauges import read_gauges
from bot.monitoring.shared_answer import SharedAnswer
from config.db.short_connection import brief_connection
from config.loopback import is_local

logger = logging.getLogger(__name__)

DATABASE_SECONDS = 3
FRESH_SECONDS = 5.0

_answers: SharedAnswer[bytes] = SharedAnswer(FRESH_SECONDS)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer 200 with the metrics of the whole system, 401 or 403 without access, 503 without a database."""
    if refusal := _refusal(request):
        return refusal
    from bot.monitoring.metrics.exposition import (
        CONTENT_TYPE,  # late import, here and below: 14 MB that only a scraped process needs
    )

    try:
        text = _answers.get(_ask)
    except DatabaseError as error:
        logger.warning("metrics_unavailable", extra={"error": type(error).__name__})
        return _sentence("the database does not answer", 503)
    if text is None:
        return _sentence("the first answer is being made, try again", 503)
    return HttpResponse(text, content_type=CONTENT_TYPE)


def forget() -> None:
    """Invalidate the cached metrics of this process."""
    _answers.forget()


def _ask() -> bytes:
    from bot.monitoring.metrics.exposition import Snapshot, text_of

    with brief_connection(DATABASE_SECONDS):
        flush()
        return text_of(Snapshot(Counter.objects.values_list("name", "labels", "value"), read_gauges()))


def _refusal(request: HttpRequest) -> HttpResponse | None:
    """Return the refusal of a request without access, or None."""
    given = given_token(request.META)
    if settings.METRICS_TOKEN:
        if given is None:
            response = _sentence("send Authorization: Bearer <METRICS_TOKEN>", 401)
            response["WWW-Authenticate"] = "Bearer"
            return response
        return None if is_metrics_token(given) else _sentence("the token is not METRICS_TOKEN", 403)
    # In production other services share this machine, and a proxy that may add no header.
    if settings.PRODUCTION:
        return _sentence("in production METRICS_TOKEN is required: set it, and send it as a bearer token", 403)
    if is_local(request):
        return None
    return _sentence("without METRICS_TOKEN only this machine is answered: set it, and send it as a bearer token", 403)


def _sentence(text: str, status: int) -> HttpResponse:
    response = HttpResponse(f"{text}\n", content_type="text/plain; charset=utf-8", status=status)
    # Otherwise Django would log it as an error, which sends a report to Sentry at every scrape.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response
