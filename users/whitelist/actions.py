"""Allow and block people from a list of the admin: asked first, then done, and noted in the log."""

import logging
from collections.abc import Iterator
from itertools import chain
from typing import cast

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from config.desk.confirming import MOST_SHOWN, confirm, is_confirmed
from users.models import User
from users.permissions import Permission, may
from users.whitelist.people import By, set_whitelisted

logger = logging.getLogger(__name__)

MOST_LOGGED = 100


def manages_staff(request: HttpRequest) -> bool:
    """Return whether somebody may hand out roles and change who has one."""
    return may(cast(User, request.user), Permission.MANAGE_STAFF)


class WhitelistActionsMixin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The actions allow and block. Staff stay as they are, unless one manages staff."""

    @admin.action(description=_("Allow (add to whitelist)"), permissions=["change"])
    def allow(self, request: HttpRequest, queryset: QuerySet[User]) -> TemplateResponse | None:
        """Let the selected people talk to the bots."""
        if not is_confirmed(request):
            return self._ask(request, queryset, allowed=True)
        count = _change(request, queryset, allowed=True)
        text = ngettext("%d person was added to the whitelist.", "%d people were added to the whitelist.", count)
        self.message_user(request, text % count, messages.SUCCESS)
        return None

    @admin.action(description=_("Block (remove from whitelist)"), permissions=["change"])
    def block(self, request: HttpRequest, queryset: QuerySet[User]) -> TemplateResponse | None:
        """Stop the selected people from talking to the bots."""
        if not is_confirmed(request):
            return self._ask(request, queryset, allowed=False)
        count = _change(request, queryset, allowed=False)
        text = ngettext(
            "%d person was removed from the whitelist.", "%d people were removed from the whitelist.", count
        )
        self.message_user(request, text % count, messages.SUCCESS)
        return None

    def _ask(self, request: HttpRequest, queryset: QuerySet[User], *, allowed: bool) -> TemplateResponse:
        selected = User.objects.filter(pk__in=queryset.values("pk"))
        chosen = _changing(request, selected, allowed=allowed)
        count = chosen.count()
        return confirm(
            request,
            self,
            queryset,
            action="allow" if allowed else "block",
            title=_("Allow people") if allowed else _("Block people"),
            explanation=_what_happens(count, allowed=allowed),
            rows=[_named(person) for person in chosen.order_by("pk")[:MOST_SHOWN]],
            count=count,
            left_out=list(_left_out(request, selected, allowed=allowed)),
            left_out_count=selected.count() - count,
            confirm_label=_("Allow") if allowed else _("Block"),
            danger=not allowed,
        )


def _changing(request: HttpRequest, selected: QuerySet[User], *, allowed: bool) -> QuerySet[User]:
    """Keep those whom the action changes."""
    chosen = selected.filter(is_whitelisted=not allowed)
    return chosen if manages_staff(request) else chosen.filter(is_staff=False)


def _left_out(request: HttpRequest, selected: QuerySet[User], *, allowed: bool) -> Iterator[str]:
    """Yield the first of those whom the action leaves as they are, with the reason."""
    already = _("on the whitelist already") if allowed else _("not on the whitelist anyway")
    theirs = Q(is_staff=True, is_whitelisted=not allowed)
    staff = selected.none() if manages_staff(request) else selected.filter(theirs)
    reasons = (
        (staff, _("an owner or admin: only an owner changes them")),
        (selected.filter(is_whitelisted=allowed), already),
    )
    return chain.from_iterable(
        (f"{_named(person)}: {reason}" for person in people.order_by("pk")[:MOST_SHOWN]) for people, reason in reasons
    )


def _named(person: User) -> str:
    return " ".join(filter(None, (person.name, person.phone_number))) or str(person)


def _what_happens(count: int, *, allowed: bool) -> str:
    if not count:
        return str(_("Nobody would be changed."))
    if allowed:
        text = ngettext(
            "%d person will be added to the whitelist. They may talk to every bot at once.",
            "%d people will be added to the whitelist. They may talk to every bot at once.",
            count,
        )
    else:
        text = ngettext(
            "%d person will be removed from the whitelist. No bot answers them any more; what is held of them stays.",
            "%d people will be removed from the whitelist. No bot answers them any more; what is held of them stays.",
            count,
        )
    return text % count


def _change(request: HttpRequest, queryset: QuerySet[User], *, allowed: bool) -> int:
    """Let in or block those who may be; return how many people this changed."""
    # By primary key: the list's own filters may join, which what is locked cannot.
    chosen = _changing(request, User.objects.filter(pk__in=queryset.values("pk")), allowed=allowed)
    ids = set_whitelisted(chosen, allowed, By(cast(User, request.user), "admin"))
    event = "person_allowed" if allowed else "person_denied"
    logger.info(event, extra={"staff": request.user.pk, "people": ids[:MOST_LOGGED], "count": len(ids)})
    return len(ids)
