"""The repository of tombstones: which addresses were erased, known only by a keyed hash of them."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.utils.crypto import salted_hmac

from config.rows import insert_rows
from users.phone import is_e164, variants

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


class TombstoneQuerySet(models.QuerySet["Tombstone"]):
    """Which addresses were erased, and when."""

    def bury(self, pairs: Iterable[Pair], at: datetime) -> None:
        """Note that these addresses are erased now; of one that was erased before the later time counts."""
        digests = sorted({digest(*pair) for pair in pairs})
        later = "excluded.erased_at > users_tombstone.erased_at"
        insert_rows(
            self.model,
            [{"digest": one, "erased_at": at} for one in digests],
            on_conflict=f"(digest) DO UPDATE SET erased_at = excluded.erased_at WHERE {later}",
        )

    def erased(self, pairs: Iterable[Pair]) -> dict[Pair, datetime]:
        """Return when the addresses among these that were erased were. One query; none for no address."""
        by_digest: dict[str, list[Pair]] = {}
        for pair in set(pairs):
            by_digest.setdefault(digest(*pair), []).append(pair)
        if not by_digest:
            return {}
        rows = self.filter(digest__in=by_digest).values_list("digest", "erased_at")
        return {pair: at for one, at in rows for pair in by_digest[one]}
