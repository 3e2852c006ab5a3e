"""The repository of tombstones: which addresses were erased or given up, known only by a keyed hash of them."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.utils.crypto import salted_hmac

from config.rows import insert_rows
from users.phone import is_e164, spellings, variants

if TYPE_CHECKING:
    from users.models import Tombstone  # noqa: F401 (quoted below)

# (channel, address), as everywhere.
Pair = tuple[str, str]


def digest(channel: str, address: str) -> str:
    """Return the keyed hash of an address, 64 hexadecimal characters. Without SECRET_KEY it cannot be guessed.

    A phone number has one in all its equivalent spellings and on every channel: it is the same person everywhere.
    """
    name = f"number:{min(variants(address))}" if is_e164(address) else f"{channel}:{address}"
    return salted_hmac("users.tombstones", name, algorithm="sha256").hexdigest()


def given_up_digest(channel: str, address: str) -> str:
    """Return the keyed hash that says of an address that whoever had it on a channel has another one since."""
    name = f"{channel}:{min(spellings(address))}"
    return salted_hmac("users.tombstones.given_up", name, algorithm="sha256").hexdigest()


class TombstoneQuerySet(models.QuerySet["Tombstone"]):
    """Which addresses were erased or given up, and when."""

    def bury(self, pairs: Iterable[Pair], at: datetime) -> None:
        """Note that these addresses are erased now; of one that was erased before the later time counts."""
        self._bury({digest(*pair) for pair in pairs}, at)

    def give_up(self, pairs: Iterable[Pair], at: datetime) -> None:
        """Note that who had these addresses has others since then; of several times the latest counts."""
        self._bury({given_up_digest(*pair) for pair in pairs}, at)

    def given_up(self, pairs: Iterable[Pair]) -> dict[Pair, datetime]:
        """Return when the addresses among these that changed hands did so last. One query; none for no address."""
        return self._found(pairs, given_up_digest)

    def _bury(self, digests: set[str], at: datetime) -> None:
        later = "excluded.erased_at > users_tombstone.erased_at"
        insert_rows(
            self.model,
            [{"digest": one, "erased_at": at} for one in sorted(digests)],
            on_conflict=f"(digest) DO UPDATE SET erased_at = excluded.erased_at WHERE {later}",
        )

    def erased(self, pairs: Iterable[Pair]) -> dict[Pair, datetime]:
        """Return when the addresses among these that were erased were. One query; none for no address."""
        return self._found(pairs, digest)

    def _found(self, pairs: Iterable[Pair], hashed: Callable[[str, str], str]) -> dict[Pair, datetime]:
        by_digest: dict[str, list[Pair]] = {}
        for pair in set(pairs):
            by_digest.setdefault(hashed(*pair), []).append(pair)
        if not by_digest:
            return {}
        rows = self.filter(digest__in=by_digest).values_list("digest", "erased_at")
        return {pair: at for one, at in rows for pair in by_digest[one]}
