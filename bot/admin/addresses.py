"""Note and tell when an owner changes by which addresses somebody is known."""

from typing import Any, cast

from django.http import HttpRequest
from django.utils import timezone

from bot.admin.privacy import PrivacyMixin
from bot.links import tell_of_link
from users.linking import note_linked, note_number, note_unlinked
from users.models import Identity, User


class AddressesMixin(PrivacyMixin):
    """Notes and tells of changed numbers and identities, in the transaction that changes them."""

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Save the person; a changed number is noted, and told where they were reached until now."""
        before = User.objects.filter(pk=obj.pk).values_list("phone_number", flat=True).first() if change else None
        super().save_model(request, obj, form, change)
        number = obj.phone_number
        if change and number != before:
            note_number(obj, before, number, actor=cast(User, request.user), via="admin")
            _tell(obj, [before] if before else [])

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
        added = [*formset.new_objects, *(one.instance for one in changed)]
        # (It names somebody else from now on, or somebody again.)
        Identity.objects.filter(pk__in=[one.pk for one in added]).update(created_at=timezone.now())
        for one in added:
            note_linked(person, one.channel, one.address, actor=actor, via="admin")
            _tell(person, [], (one.channel, one.address))


def _tell(person: User, formerly: list[str], linked: tuple[str, str] | None = None) -> None:
    tell_of_link(person, f"admin:{timezone.now().isoformat()}", linked, formerly)
