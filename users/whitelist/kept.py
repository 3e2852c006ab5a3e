"""The people of a previewed file until they are confirmed: in the database, bound to the web session, for an hour.

They lie in a session of their own, whose key the web session has. So the page stays small however many they are, any
web process can apply what another one previewed, nobody can change them on the way, and what is never confirmed goes
as expired sessions go.
"""

from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare, salted_hmac

from users.whitelist.reading import Reading
from users.whitelist.rows import Notes, Row

KEPT = "people_import"
MAX_AGE = 3_600


class NothingKept(LookupError):
    """There is no such preview: it is over, or somebody else's."""


def keep(request: HttpRequest, reading: Reading) -> str:
    """Keep the people of a file in place of those before, and return the name by which the page asks for them."""
    forget(request)
    store: Any = SessionStore()
    # Erased with the member of staff. (It signs nobody in: that takes more.)
    store[SESSION_KEY] = str(request.user.pk)
    store["rows"] = [(row.line, row.number, row.name, row.whitelisted, row.budget_micros) for row in reading.rows]
    store.set_expiry(MAX_AGE)
    store.save()
    request.session[KEPT] = store.session_key
    return _named(store.session_key)


def take(request: HttpRequest, name: str) -> Reading:
    """Return the people that keep() was given in this web session; they are kept no longer.

    Raises:
        NothingKept: it is another file that was kept, or none.
    """
    key = request.session.get(KEPT)
    rows = SessionStore(key).get("rows") if key and constant_time_compare(_named(key), name) else None
    if rows is None:
        raise NothingKept
    forget(request)
    return Reading(tuple(Row(*row) for row in rows), Notes(), Notes())


def forget(request: HttpRequest) -> None:
    """Delete what is kept."""
    if key := request.session.pop(KEPT, None):
        SessionStore(key).delete()


def _named(key: str) -> str:
    # Not the key itself, which is nobody's business.
    return salted_hmac("users.whitelist", key).hexdigest()
