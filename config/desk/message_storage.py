"""Keep what the next page says, in production: in a cookie that this host alone can set, else in the session."""

from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class HostCookieStorage(CookieStorage):
    """Django's storage in a cookie, under a name that browsers protect."""

    cookie_name = "__Host-messages"


class HostStorage(FallbackStorage):
    """Django's default storage, with that cookie."""

    storage_classes = (HostCookieStorage, SessionStorage)
