"""The one place where failures of web requests become answers: JSON for machines, pages for people.

Both carry the request's id: the header X-Request-ID, and on a page the reference that a person can tell an operator.
"""

import sys

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.utils.cache import add_never_cache_headers
from django.utils.functional import Promise
from django.utils.translation import get_language_from_request, override
from django.utils.translation import gettext_lazy as _

from bot.errors import AppError, ErrorCode
from bot.web.answers import RETRY_AFTER_SECONDS, Answer, answer_of, refusal
from config.db.database_thread import AWAY
from config.logs.lines import current_request_id

WEBHOOKS = "/webhooks/"
# Nothing but the page's own style: it needs no file, so that it can be shown whatever is broken.
CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"

# Title and explanation of the page for each status.
PAGES: dict[int, tuple[Promise, Promise]] = {
    400: (_("This request can't be read"), _("Please go back and try again.")),
    403: (_("No access"), _("You may not open this page. Perhaps you are signed in with another account.")),
    404: (_("Page not found"), _("There is no page at this address.")),
    405: (_("Not possible here"), _("This address does not take requests of this kind.")),
    413: (_("Too large"), _("What was sent is larger than this server accepts.")),
    500: (_("Something went wrong"), _("It is our fault, and it has been noted. Please try again in a moment.")),
    503: (_("Not available right now"), _("The database can't be reached. Please try again in a moment.")),
}
CSRF_PAGE = (
    _("This form has expired"),
    _("Please go back, reload the page and send it again. Your browser must accept cookies for that."),
)


def machine_answer(request: HttpRequest, error: Exception) -> HttpResponse:
    """Log what a view for machines raised, and return what it is answered with."""
    ids: dict[str, str] = getattr(request, "known_ids", {})
    return as_response(refusal(error, ids, webhook=request.path_info.startswith(WEBHOOKS)))


def as_response(answer: Answer) -> HttpResponse:
    """Return an answer for machines as Django's response."""
    response = HttpResponse(answer.body, status=answer.status)
    for name, value in answer.headers():
        response[name] = value
    # Django would log it a second time.
    response._has_been_logged = answer.status >= 400  # type: ignore[attr-defined]
    return response


def explained(request: HttpRequest, response: HttpResponseBase, *, machine: bool) -> HttpResponseBase:
    """Return a response as it is, but for Django's empty one to a wrong method, which says nothing to anybody."""
    if response.status_code != 405 or not isinstance(response, HttpResponse) or response.content:
        return response
    allowed = response["Allow"]
    if machine:
        own = as_response(answer_of(AppError(ErrorCode.INVALID_INPUT, f"use {allowed}", status_code=405)))
    else:
        own = page(request, 405)
    own["Allow"] = allowed
    # What refuses a method has logged it.
    own._has_been_logged = getattr(response, "_has_been_logged", False)  # type: ignore[attr-defined]
    return own


def page(request: HttpRequest, status: int, wording: tuple[Promise, Promise] | None = None) -> HttpResponse:
    """Return the page for a status, in the language of the reader's browser."""
    title, text = wording or PAGES[status]
    language = get_language_from_request(request)
    with override(language):
        context = {"title": title, "text": text, "language": language, "reference": current_request_id()}
        # (Without the request: its context processors ask for the session, and so for the database.)
        response = HttpResponse(render_to_string("bot/error.html", context), status=status)
    response["Content-Language"] = language
    response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response["X-Content-Type-Options"] = "nosniff"
    add_never_cache_headers(response)
    if status == 503:
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400, or 413 to what is too large (Django's handler400)."""
    return page(request, 413 if isinstance(exception, RequestDataTooBig) else 400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403 (Django's handler403)."""
    return page(request, 403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer 403 to a form whose token is missing or old (CSRF_FAILURE_VIEW)."""
    return page(request, 403, CSRF_PAGE)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404 (Django's handler404)."""
    return page(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 503 when it was the database that is away, else 500 (Django's handler500, called while it is handled)."""
    return page(request, 503 if isinstance(sys.exception(), AWAY) else 500)
