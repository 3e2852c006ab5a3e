"""What the admin's pages may load and run: files of our own, and nothing else."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

# The admin's menus are Alpine.js, which evaluates the expressions in their attributes ('unsafe-eval'); its colours are
# a style element of the page. No script stands in a page itself.
POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADER = "Content-Security-Policy"


def page_policy(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Give every page that has no policy of its own this one."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault(HEADER, POLICY)
        return response

    return middleware
