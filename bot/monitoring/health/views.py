"""Django views of /healthz and /readyz, for runserver and the pages' process. The front has its own."""

import asyncio

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from bot.monitoring.health.readiness import FRESH_SECONDS, UNREADY, Changes, Readiness, nothing_known, run_checks
from bot.monitoring.metrics.access import may_see_numbers
from bot.monitoring.shared_answer import SharedAnswer

_answers: SharedAnswer[Readiness] = SharedAnswer(FRESH_SECONDS)
_changes = Changes()


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer that this process serves requests, without checks: a failed dependency is no reason to restart it."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 if ready, 503 otherwise, as JSON whatever the client accepts.

    Numbers of processes and waiting messages are included for this machine and for requests with METRICS_TOKEN.
    """
    found = _answers.get(_probe) or nothing_known()
    body = found.body(numbers=may_see_numbers(request.META))
    response = JsonResponse(body, status=503 if found.status == UNREADY else 200)
    # Otherwise Django would log each 503 as an error, which sends a report to Sentry every few seconds.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def forget() -> None:
    """Invalidate the cached readiness of this process."""
    _answers.forget()


def _probe() -> Readiness:
    found = asyncio.run(run_checks())
    _changes.report(found.failed)
    return found
