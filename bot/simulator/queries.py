"""What the simulator reads: who may be chosen, and what has been said in one chat."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from bot.history.costs import LONGEST_TURN, cost_line
from bot.models import Bot, InboundMessage, Lease, OutboundMessage
from bot.privacy.subjects import Subject
from bot.simulator.bubbles import Bubble, merge, of_reply, of_unanswered
from bot.simulator.overbudget import OVER_BUDGET_NUMBER
from bot.worker.erased import has_changed_hands
from conversations.models import Conversation
from usage.models import UsageRecord
from users.models import User
from users.phone import is_e164

CONSOLE = "console"
# A number of the range that is kept free for fiction: nobody has it.
UNKNOWN_NUMBER = "+12025550199"
NOBODY = (UNKNOWN_NUMBER, OVER_BUDGET_NUMBER)
PEOPLE_SHOWN = 200
PEOPLE_FOUND = 20
RECENT = 30
# Keeps those of some people whom a visitor may write as.
Kept = Callable[[Iterable[User]], list[User]]
State, Origin = InboundMessage.State, InboundMessage.Origin


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to write as: phone_number is E.164."""

    phone_number: str
    label: str


@dataclass(frozen=True, slots=True)
class News:
    """What is new in a chat. `last` is the newest outbox id that was read.

    pending: how many messages wait for a reply; waited_seconds: the longest of them, since a worker could have begun;
    working: a worker knows of them.
    """

    messages: list[Bubble]
    last: int
    pending: int
    waited_seconds: float
    working: bool


def bots(chosen: str = "") -> list[Bot]:
    """Return the bots one can talk to here: no previews, but for a chosen one, which comes with the bot it is of."""
    rows = Bot.objects.filter(Q(preview_of=None) | Q(slug=chosen), is_active=True, channel=CONSOLE)
    return list(rows.select_related("preview_of").only("slug", "name", "system_prompt", "preview_of__name"))


def people(chosen: str, kept: Kept = list) -> list[Person]:
    """Return the first whitelisted people with a phone number, by name, with the chosen one, and those who are nobody.

    They are the unknown person and the one who is over budget.
    """
    known = {user.phone_number: user for user in _real_people().order_by("name", "pk")[:PEOPLE_SHOWN]}
    if chosen not in known and chosen not in NOBODY and (user := find_person(chosen)):
        known[chosen] = user
    return [
        *(_labelled(user) for user in kept(known.values())),
        Person(UNKNOWN_NUMBER, _("An unknown person")),
        Person(OVER_BUDGET_NUMBER, _("Somebody over budget")),
    ]


def search_people(asked: str, kept: Kept = list) -> list[Person]:
    """Return a few whitelisted people whose name or number holds this, first who has this number, however spelled.

    A whole number is found by its index; for a part all people are looked through at most, until there are enough.
    """
    found = {}
    if owner := User.objects.find_by_phone_number(asked):
        found = {user.pk: user for user in _real_people().filter(pk=owner.pk)}
    digits = "".join(filter(str.isdecimal, asked)).lstrip("0")  # (what comes before a national or foreign number)
    named = Q(phone_number__contains=digits) if digits else Q(name__icontains=asked)
    found |= {user.pk: user for user in _real_people().filter(named)[:PEOPLE_FOUND]}
    return [_labelled(user) for user in kept(found.values())][:PEOPLE_FOUND]


def _real_people() -> QuerySet[User]:
    users = User.objects.whitelisted().exclude(phone_number=None).exclude(phone_number__in=NOBODY)
    return users.only("phone_number", "name", "role")


def _labelled(user: User) -> Person:
    number = user.phone_number or ""
    return Person(number, f"{user.name} · {number}" if user.name else number)


def find_person(phone_number: str) -> User | None:
    """Return the whitelisted person with exactly this E.164 number."""
    if not is_e164(phone_number):
        return None
    return User.objects.whitelisted().filter(phone_number=phone_number).first()


def read_news(bot_id: int, bot_slug: str, address: str, user: User | None, after: int | None) -> News:
    """Return what a page that knows the outbox up to `after` needs to be told; None: everything recent.

    The inbox is read before the outbox: a message that is seen as done has its reply seen, too.
    """
    # (What was said before somebody gave the number up is not shown of who has it since.)
    chat = _chat(address)
    received = InboundMessage.objects.filter(chat.chats(InboundMessage), bot=bot_id)
    inbound = list(received.order_by("-id")[:RECENT])
    outbox = _outbox_of(bot_id, inbound) if user else _outbox_of_unknown(bot_id, chat)
    replies = _with_costs(outbox.filter(id__gt=after or 0).exclude(text="").order_by("id"), user)
    last = max((reply.id for reply in replies), default=after or 0)
    if after is None:
        memory = Conversation.objects.get_recent(user, RECENT * 2, bot=bot_slug) if user else []
        messages = merge(memory, replies)
    else:
        messages = replies
    # Until the reply is sent a message stays pending; a page that sees the reply already waits for nothing.
    unanswered = [row for row in inbound if row.state == State.PENDING and row.origin == Origin.PERSON]
    waiting = [row for row in unanswered if row.turn_key is None or user is None]
    now = timezone.now()
    return News(
        messages=sorted([*messages, *of_unanswered(inbound)], key=lambda bubble: bubble.at),
        last=last,
        pending=len(waiting),
        waited_seconds=max(((now - row.available_at).total_seconds() for row in waiting), default=0.0),
        working=bool(waiting) and is_worked_on(bot_id, address),
    )


def find_document(id: int) -> OutboundMessage | None:
    """Return a document that a bot has sent here, while its content is held and its address has not changed hands."""
    documents = OutboundMessage.objects.filter(bot__channel=CONSOLE).exclude(filename="").exclude(text="")
    found = documents.filter(pk=id).first()
    return found if found and is_of_holder(found.pk, found.address) else None


def is_of_holder(id: int, address: str) -> bool:
    """Return whether what was sent to an address was sent to who has it, and not to who had it before."""
    if not has_changed_hands(address):
        return True
    return OutboundMessage.objects.filter(_chat(address).chats(OutboundMessage), pk=id).exists()


def _chat(address: str) -> Subject:
    return Subject(None, frozenset({(CONSOLE, address)}), whoever=not has_changed_hands(address))


def is_worked_on(bot_id: int, address: str) -> bool:
    """Return whether a worker holds the lease of this chat, or has put it off to try again."""
    return Lease.objects.filter(bot=bot_id, address=address, expires_at__gt=timezone.now()).exists()


def replies_of(turn_key: int, user: User | None) -> list[Bubble]:
    """Return the parts of one turn's reply, in order, the last one with what the turn cost."""
    return _with_costs(OutboundMessage.objects.filter(turn_key=turn_key).order_by("part"), user)


def _outbox_of(bot_id: int, inbound: Iterable[InboundMessage]) -> QuerySet[OutboundMessage]:
    turn_keys = {row.turn_key for row in inbound if row.turn_key is not None}
    return OutboundMessage.objects.filter(bot=bot_id, turn_key__in=turn_keys)


def _outbox_of_unknown(bot_id: int, chat: Subject) -> QuerySet[OutboundMessage]:
    # Messages of people who are not whitelisted are deleted, so nothing leads from them to their turn. What was sent
    # (it has an external id) is indexed by bot.
    return OutboundMessage.objects.filter(chat.chats(OutboundMessage), bot=bot_id).exclude(external_id="")


def _with_costs(rows: Iterable[OutboundMessage], user: User | None) -> list[Bubble]:
    replies = [of_reply(row) for row in rows]
    last_parts = {reply.turn_key: reply.id for reply in replies}
    costs = _cost_lines(replies, user)
    return [
        replace(reply, cost=costs.get(reply.turn_key, ""), has_story=True)
        if last_parts[reply.turn_key] == reply.id
        else reply
        for reply in replies
    ]


def _cost_lines(replies: Sequence[Bubble], user: User | None) -> dict[int, str]:
    if not replies or user is None:
        return {}
    # Usage has an index by person and time, none by turn: person and time keep a large table from being read whole.
    since = min(reply.at for reply in replies) - LONGEST_TURN
    turn_keys = {reply.turn_key for reply in replies}
    records: dict[int, list[UsageRecord]] = {}
    for record in UsageRecord.objects.filter(user=user, created_at__gte=since, turn_key__in=turn_keys).order_by("id"):
        records.setdefault(record.turn_key or 0, []).append(record)
    return {key: cost_line(those) for key, those in records.items()}
