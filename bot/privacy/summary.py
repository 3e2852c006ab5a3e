"""Summary of what is held about a person, which operators are shown before an erasure."""

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from bot.models import AccessRequest, Lease, ModelChoice
from bot.privacy.erasure import traces
from bot.privacy.erasure.found_rows import find_holdings
from bot.privacy.subjects import Subject
from conversations.models import Conversation, Message
from usage.models import DailySpend, UsageRecord
from users.models import Identity, Invite


def summary_of(subject: Subject) -> dict[str, int]:
    """Return {translated kind of row: number} of what is held about a subject, without zeros."""
    holdings = find_holdings(subject)
    counts = {
        _("messages in the inbox"): len(holdings.inbound),
        _("messages in the outbox"): len(holdings.outbound),
        _("known chats"): Lease.objects.filter(subject.chats(Lease)).count(),
        _("access requests"): AccessRequest.objects.filter(subject.chats(AccessRequest)).count(),
        _("lines of admin history"): traces.admin_history(subject, holdings.inbound, holdings.outbound).count(),
    }
    if subject.person is not None:
        rows: dict[str, QuerySet] = {  # type: ignore[type-arg]
            _("addresses"): Identity.objects.filter(user=subject.person),
            _("conversations"): Conversation.objects.filter(user=subject.person),
            _("remembered messages"): Message.objects.filter(conversation__user=subject.person),
            _("chosen models"): ModelChoice.objects.filter(user=subject.person),
            _("invites"): Invite.objects.filter(person=subject.person),
            _("daily spends"): DailySpend.objects.filter(user=subject.person),
            _("usage records"): UsageRecord.objects.filter(user=subject.person),
        }
        counts = {_("person"): 1, **{name: found.count() for name, found in rows.items()}, **counts}
    return {name: count for name, count in counts.items() if count}
