"""The short way for requests that machines make."""

import time
from collections.abc import Callable
from uuid import uuid4

from asgiref.sync import async_to_sync, iscoroutinefunction
from django.core.handlers.exception import response_for_exception
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.urls import Resolver404, resolve

from bot.access_log import log_access
from bot.errors import ErrorCode
from config.logs import bind

Handler = Callable[[HttpRequest], HttpResponseBase]
MACHINE_PATHS = ("/webhooks/", "/healthz", "/readyz")


def webhooks_first(get_response: Handler) -> Handler:
    """Answer webhooks and health probes at once, before any other middleware.

    They have no session, cookie, language or page, they authenticate themselves (webhooks) or need no authentication
    (health), and probes reach a container by its address, which is no allowed host.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        # The id goes with what the request stores, so that the worker's lines name it as well.
        with bind(request_id=uuid4().hex):
            try:
                response = answer(request)
            except Exception as error:
                # As Django would outside of this block, where the line would not have the id.
                response = response_for_exception(request, error)
            log_access(request, response.status_code, time.perf_counter() - began)
            return response

    def answer(request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(MACHINE_PATHS):
            return get_response(request)
        try:
            # (Directly in the app's own URLs: looking through the whole project's first takes longer.)
            match = request.resolver_match = resolve(request.path_info, "bot.urls")
        except Resolver404:
            return JsonResponse({"status": "error", "code": ErrorCode.NOT_FOUND, "detail": "no such URL"}, status=404)
        view, args, kwargs = match
        if iscoroutinefunction(view):
            view = async_to_sync(view)
        response: HttpResponseBase = view(request, *args, **kwargs)
        return response

    return middleware
