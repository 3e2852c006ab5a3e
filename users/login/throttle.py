"""Guessing passwords is slow: failed sign-ins are counted for each account and each client address.

They are counted in Redis for all processes, else (and while Redis fails) in this process. Neither a number nor an
address is kept: only keyed hashes of them.
"""

import ipaddress
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter

from config.shared_store import TIMEOUT_SECONDS, SharedStore
from users.login.clients import client_address
from users.phone import InvalidPhoneNumber, read_number, variants

WINDOW_MINUTES = 15
PER_ACCOUNT = RateLimitItemPerMinute(5, WINDOW_MINUTES, namespace="login-account")
# More than an account's: behind one address there may be an office.
PER_CLIENT = RateLimitItemPerMinute(20, WINDOW_MINUTES, namespace="login-client")
# An IPv6 customer has at least a whole /64 to write from.
IPV6_PREFIX = 64
HASH_LENGTH = 16

Answer = TypeVar("Answer")


class LoginThrottled(ValidationError):
    """Too many sign-ins failed: the password was not looked at. A form shows the text as its own error."""

    def __init__(self) -> None:
        super().__init__(
            _("Too many failed attempts to sign in. Please wait %(minutes)d minutes and try again."),
            code="throttled",
            params={"minutes": WINDOW_MINUTES},
        )


class Counter:
    """Counts in windows that begin with their first hit, and fits many threads."""

    def __init__(self, redis_url: str | None) -> None:
        self._local = FixedWindowRateLimiter(MemoryStorage())
        self._lock = threading.Lock()
        self._store = SharedStore("logins")
        self._shared: FixedWindowRateLimiter | None = None
        if redis_url:
            from redis.backoff import NoBackoff
            from redis.retry import Retry

            redis = RedisStorage(
                redis_url,
                key_prefix="parley:limits",
                socket_timeout=TIMEOUT_SECONDS,
                socket_connect_timeout=TIMEOUT_SECONDS,
                retry=Retry(NoBackoff(), 0),  # type: ignore[arg-type]
            )
            self._shared = FixedWindowRateLimiter(redis)

    def hit(self, item: RateLimitItemPerMinute, key: str) -> bool:
        """Count one and return whether it is within the limit."""
        return self._ask(lambda window: window.hit(item, key))

    def take_back(self, item: RateLimitItemPerMinute, key: str) -> None:
        """Count one less."""
        self._ask(lambda window: window.hit(item, key, cost=-1))

    def clear(self, item: RateLimitItemPerMinute, key: str) -> None:
        """Begin anew."""
        self._ask(lambda window: window.clear(item, key))

    def _ask(self, question: Callable[[FixedWindowRateLimiter], Answer]) -> Answer:
        if self._shared is not None and self._store.may_be_asked():
            with self._store.trying():
                return question(self._shared)
        # The library's storage in memory loses counts when several threads begin a window.
        with self._lock:
            return question(self._local)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in that is under way, with the hashes of its account and of its client's address ("": not known)."""

    account: str
    client: str

    def begin(self) -> bool:
        """Count it as a failure before its password is looked at, and return whether it may go on.

        Before, so that no number of attempts at once gets past the limit.
        """
        if self.client and not counter().hit(PER_CLIENT, self.client):
            return False
        return counter().hit(PER_ACCOUNT, self.account)

    def succeeded(self) -> None:
        """Forget the account's failures, and that this was one of its address."""
        counter().clear(PER_ACCOUNT, self.account)
        self._take_back_of_client()

    def came_to_nothing(self) -> None:
        """Take it back: nobody could say whether the password was right."""
        counter().take_back(PER_ACCOUNT, self.account)
        self._take_back_of_client()

    def _take_back_of_client(self) -> None:
        if self.client:
            counter().take_back(PER_CLIENT, self.client)


def attempt_of(request: HttpRequest | None, number: str) -> Attempt:
    """Return the attempt to sign in with a number, in any spelling, whether anybody has it or not."""
    return Attempt(account=account_key(number), client=client_key(request))


def account_key(number: str) -> str:
    """Return the hash that stands for a number in all its equivalent spellings; for any other text its own."""
    try:
        name = min(variants(read_number(number)))
    except InvalidPhoneNumber:
        name = number.strip().casefold()
    return _hash("account", name)


def client_key(request: HttpRequest | None) -> str:
    """Return the hash of the network a request comes from, empty when it comes from none."""
    address = client_address(request)
    if not address:
        return ""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return _hash("client", address)
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ipaddress.IPv6Network((ip, IPV6_PREFIX), strict=False).network_address
    return _hash("client", str(ip))


def forgive(number: str) -> None:
    """Forget the failed sign-ins of an account."""
    counter().clear(PER_ACCOUNT, account_key(number))


def counter() -> Counter:
    """Return this process's counter, made when it is needed first."""
    global _counter
    with _making:
        if _counter is None:
            _counter = Counter(settings.REDIS_URL)
        return _counter


_counter: Counter | None = None
_making = threading.Lock()


def _hash(kind: str, text: str) -> str:
    return salted_hmac(f"users.throttle.{kind}", text, algorithm="sha256").hexdigest()[:HASH_LENGTH]
