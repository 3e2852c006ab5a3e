"""Tombstones: which addresses were erased or given up, known only by a keyed hash of them."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial

from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from config.db.rows import insert_rows
from users.models.lookups import Pair
from users.phone import is_e164, spellings, variants

DIGEST_LENGTH = 64
# When which addresses were erased or given up, by their digests.
Tombstones = Mapping[str, datetime]


def digest(channel: str, address: str) -> str:
    """Return the keyed hash of an address, 64 hexadecimal characters. Without SECRET_KEY it cannot be guessed.

    A phone number has one in all its equivalent spellings and on every channel: it is the same person everywhere.
    """
    name = f"number:{min(variants(address))}" if is_e164(address) else f"{channel}:{address}"
    return salted_hmac("users.tombstones", name, algorithm="sha256").hexdigest()


def given_up_digest(channel: str, address: str) -> str:
    """Return the keyed hash that says of an address that whoever had it on a channel has another one since."""
    return _hashed("given_up", f"{channel}:{min(spellings(address))}")


def _told_digest(channel: str, address: str) -> str:
    """Return the keyed hash that says when we heard that an address was given up, which may be later than it was."""
    return _hashed("told", f"{channel}:{min(spellings(address))}")


def _giver_digest(person: int, channel: str, address: str) -> str:
    """Return the keyed hash that says that it was this person (primary key) who gave an address up."""
    return _hashed("given_up_by", f"{person}:{channel}:{min(spellings(address))}")


def _hashed(kind: str, name: str) -> str:
    return salted_hmac(f"users.tombstones.{kind}", name, algorithm="sha256").hexdigest()


def was_erased(buried: Tombstones, channel: str, address: str, sent_at: datetime | None) -> bool:
    """Return whether a message was written before its sender was erased. One that does not say when counts as new."""
    erased_at = buried.get(digest(channel, address)) if buried and sent_at else None
    return bool(erased_at and sent_at and sent_at <= erased_at)


def was_given_up(buried: Tombstones, channel: str, address: str, sent_at: datetime | None) -> bool:
    """Return whether a message was written by who had its address before somebody else got it."""
    left_at = buried.get(given_up_digest(channel, address)) if buried and sent_at else None
    return bool(left_at and sent_at and sent_at < left_at)


class TombstoneQuerySet(models.QuerySet["Tombstone"]):
    """Note and look up which addresses were erased or given up, and when."""

    def bury(self, pairs: Iterable[Pair], at: datetime) -> None:
        """Note that these addresses are erased now; of one that was erased before the later time counts."""
        self._bury({digest(*pair) for pair in pairs}, at)

    def give_up(self, pairs: Iterable[Pair], at: datetime, person: int | None = None) -> None:
        """Note that who had these addresses has others since then; of several times the latest counts.

        person: the primary key of who had them, if they may get them back by hand.
        """
        pairs = set(pairs)
        known = self.given_up(pairs)
        # Told again, it is not heard later: what came meanwhile is the next holder's.
        news = [pair for pair in pairs if pair not in known or known[pair] < at]
        self._bury({given_up_digest(*pair) for pair in news}, at)
        self._bury({_told_digest(*pair) for pair in news}, timezone.now())
        if person is not None:
            self._bury({_giver_digest(person, *pair) for pair in news}, at)

    def take_back(self, person: int, pairs: Iterable[Pair]) -> None:
        """Let addresses be a person's as if they had always been, if it was they who gave them up last."""
        pairs = set(pairs)
        mine = self._found(pairs, partial(_giver_digest, person))
        back = [pair for pair, at in self.given_up(pairs).items() if mine.get(pair) == at]
        digests = {hashed(*pair) for pair in back for hashed in (given_up_digest, _told_digest)}
        self.filter(digest__in=digests | {_giver_digest(person, *pair) for pair in back}).delete()

    def heard(self, pairs: Iterable[Pair]) -> dict[Pair, datetime]:
        """Return when we heard that addresses among these were given up: what was there by then is not the next one's.

        One query; none for no address.
        """
        return self._found(pairs, _told_digest)

    def given_up(self, pairs: Iterable[Pair]) -> dict[Pair, datetime]:
        """Return when the addresses among these that changed hands did so last. One query; none for no address."""
        return self._found(pairs, given_up_digest)

    def _bury(self, digests: set[str], at: datetime) -> None:
        if not digests:
            return
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


class Tombstone(models.Model):
    """That an address was erased, or changed hands, and when: what was written before is not the next owner's.

    digest: a keyed hash of the address (above), from which nobody can tell whose it was, and which of both it says.
    """

    digest = models.CharField(_("digest"), max_length=DIGEST_LENGTH, unique=True)
    erased_at = models.DateTimeField(_("erased"), db_index=True)

    objects = TombstoneQuerySet.as_manager()

    class Meta:
        verbose_name = _("tombstone")
        verbose_name_plural = _("tombstones")

    def __str__(self) -> str:
        return f"tombstone {self.pk}"
