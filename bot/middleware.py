"""The short way for requests that machines make."""

from collections.abc import Callable
from uuid import uuid4

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.urls import Resolver404, resolve

from bot.errors import ErrorCode
from config.logs import bind

Handler = Callable[[HttpRequest], HttpResponseBase]
# What answers for this process: in a thread of the server, never behind requests that wait (config/wsgi.py).
PROBE_PATHS = ("/healthz", "/readyz", "/metrics")
MACHINE_PATHS = ("/webhooks/", *PROBE_PATHS)


def webhooks_first(get_response: Handler) -> Handler:
    """Answer webhooks and health probes at once, before any other middleware.

    They have no session, cookie, language or page, they authenticate themselves (webhooks) or need no authentication
    (health), and probes reach a container by its address, which is no allowed host.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        # The id goes with what the request stores, so that the worker's lines name it as well.
        with bind(request_id=uuid4().hex):
            return answer(request)

    def answer(request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(MACHINE_PATHS):
            return get_response(request)
        try:
            # (Directly in the app's own URLs: looking through the whole project's first takes longer.)
            view, args, kwargs = resolve(request.path_info, "bot.urls")
        except Resolver404:
            return JsonResponse({"status": "error", "code": ErrorCode.NOT_FOUND, "detail": "no such URL"}, status=404)
        response: HttpResponseBase = view(request, *args, **kwargs)
        return response

    return middleware
