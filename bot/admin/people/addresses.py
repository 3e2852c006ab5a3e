"""Note and tell when an owner changes by which addresses somebody is known."""

from collections.abc import Iterable
from typing import Any, cast

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from bot.admin.people.privacy import PrivacyMixin
from bot.channels.registry import CHANNELS
from bot.queue.address_changes import follow_by_hand
from bot.queue.link_notices import tell_of_link
from bot.queue.snapshot import forget
from users.linking import note_linked, note_number, note_unlinked
from users.models import Identity, Pair, Tombstone, User
from users.phone import spellings


class AddressesMixin(PrivacyMixin):
    """Notes and tells of changed numbers and identities, in the transaction that changes them."""

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Save the person; a changed number is noted, and told where they were reached until now."""
        before = User.objects.filter(pk=obj.pk).values_list("phone_number", flat=True).first() if change else None
        number = obj.phone_number
        if before and number and number not in spellings(before):
            for channel in CHANNELS:
                follow_by_hand(channel, before, number)
        super().save_model(request, obj, form, change)
        if change and number != before:
            note_number(obj, before, number, actor=cast(User, request.user), via="admin")
            _tell(obj, [before] if before else [])
        if number != before:
            _hand_over(obj, _everywhere(before), _everywhere(number))

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Save the identities, each noted; the person is told of those that are new."""
        super().save_formset(request, form, formset, change)
        if formset.model is not Identity:
            return
        actor, person = cast(User, request.user), cast(User, form.instance)
        for gone in formset.deleted_objects:
            note_unlinked(person, gone.channel, gone.address, actor=actor, via="admin")
        keys = {one.pk for one, _ in formset.changed_objects}
        changed = [one for one in formset.initial_forms if one.instance.pk in keys]
        for one in changed:
            before = one.initial
            note_unlinked(person, before["channel"], before["address"], actor=actor, via="admin")
            follow_by_hand(before["channel"], before["address"], _theirs_on(before["channel"], one.instance))
        added = [*formset.new_objects, *(one.instance for one in changed)]
        gone = [(one.channel, one.address) for one in formset.deleted_objects]
        gone += [(one.initial["channel"], one.initial["address"]) for one in changed]
        _hand_over(person, gone, [(one.channel, one.address) for one in added])
        # (It names somebody else from now on, or somebody again.)
        Identity.objects.filter(pk__in=[one.pk for one in added]).update(created_at=timezone.now())
        for one in added:
            note_linked(person, one.channel, one.address, actor=actor, via="admin")
            _tell(person, [], (one.channel, one.address))


def _hand_over(person: User, gone: Iterable[Pair], added: Iterable[Pair]) -> None:
    """Note which addresses a person has given up, for whoever has them next, and which they have got back."""
    left = [pair for pair in gone if User.objects.for_identity(*pair) != person]
    Tombstone.objects.give_up(left, timezone.now(), person.pk)
    Tombstone.objects.take_back(person.pk, added)
    transaction.on_commit(forget)


def _everywhere(number: str | None) -> list[Pair]:
    return [(channel, number) for channel in CHANNELS] if number else []


def _theirs_on(channel: str, identity: Identity) -> str:
    """Return the address that took the place of one of a channel; none where it became one of another channel."""
    return identity.address if identity.channel == channel else ""


def _tell(person: User, formerly: list[str], linked: tuple[str, str] | None = None) -> None:
    tell_of_link(person, f"admin:{timezone.now().isoformat()}", linked, formerly)
