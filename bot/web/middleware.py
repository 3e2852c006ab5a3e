"""The short way for requests that machines make."""

import time
from collections.abc import Callable
from uuid import uuid4

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import Resolver404, resolve
from django.utils.log import log_response

from bot.errors import AppError, ErrorCode
from bot.web import error_pages
from bot.web.access_log import log_access, route_of
from bot.web.answers import MACHINE_HEADERS
from config.logs.lines import bind

Handler = Callable[[HttpRequest], HttpResponseBase]
# What answers for this process.
PROBE_PATHS = ("/healthz", "/readyz", "/metrics")
MACHINE_PATHS = ("/webhooks/", *PROBE_PATHS)
# What config.wsgi notes in a request whose Content-Type cannot be read.
UNREADABLE = "parley.unreadable"


def webhooks_first(get_response: Handler) -> Handler:
    """Answer webhooks and health probes at once, before any other middleware.

    They have no session, cookie, language or page, they authenticate themselves (webhooks) or need no authentication
    (health), and probes reach a container by its address, which is no allowed host.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        # The id goes with what the request stores, so that the worker's lines name it as well.
        request_id = uuid4().hex
        with bind(request_id=request_id):
            response = answer(request)
            if response.status_code >= 400 and isinstance(response, HttpResponse):
                # Django would do so itself (once), but only when the id is not bound any more.
                log_response("%s: %s", response.reason_phrase, request.path, response=response, request=request)
            log_access(request.method, route_of(request), response.status_code, time.perf_counter() - began)
        response["X-Request-ID"] = request_id
        return response

    def answer(request: HttpRequest) -> HttpResponseBase:
        if UNREADABLE in request.META:
            return error_pages.page(request, 400)
        if not request.path_info.startswith(MACHINE_PATHS):
            return error_pages.explained(request, get_response(request), machine=False)
        response = answer_machine(request)
        for name, value in MACHINE_HEADERS.items():
            response[name] = value
        return response

    def answer_machine(request: HttpRequest) -> HttpResponseBase:
        try:
            # (Directly in the app's own URLs: looking through the whole project's first takes longer.)
            match = request.resolver_match = resolve(request.path_info, "bot.urls")
        except Resolver404:
            return error_pages.machine_answer(request, AppError(ErrorCode.NOT_FOUND, "no such URL"))
        view, args, kwargs = match
        try:
            return error_pages.explained(request, view(request, *args, **kwargs), machine=True)
        except Exception as error:  # whatever it is, a machine is answered in its own language
            return error_pages.machine_answer(request, error)

    return middleware
