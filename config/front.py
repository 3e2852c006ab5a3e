"""How the pages know that a request was handed to them by the front, and from whom it came to it."""

from django.utils.crypto import constant_time_compare, salted_hmac

# The front drops them from what others send, and sets them itself.
CLIENT_HEADER = "parley-client"
TOKEN_HEADER = "parley-front"  # noqa: S105 (a header's name)


def front_token() -> str:
    """Return what only processes with the same SECRET_KEY know."""
    return salted_hmac("config.front", "pages").hexdigest()


def is_from_front(token: str) -> bool:
    """Return whether a request's token is the front's."""
    return bool(token) and constant_time_compare(token, front_token())
