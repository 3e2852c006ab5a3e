"""What the admin's pages may load and run: files of our own, and nothing else."""

import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

# No text of a page is run or taken for a style sheet, whoever wrote it: Alpine.js is the build that evaluates nothing,
# and the one style element, unfold's colours, has the page's nonce. Attributes may have styles, which run nothing:
# unfold writes widths into them.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; style-src-attr 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADER = "Content-Security-Policy"


def page_policy(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Give every page that has no policy of its own this one, with a nonce that its template finds in the request."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        nonce = request.style_nonce = secrets.token_urlsafe(16)  # type: ignore[attr-defined]
        response = get_response(request)
        response.headers.setdefault(HEADER, POLICY.format(nonce=nonce))
        return response

    return middleware
