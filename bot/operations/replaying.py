"""Plan of a replay of dead letters: its effects and cost, and the messages that cannot be replayed."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bot.channels.registry import CHANNELS
from bot.errors import ErrorCode
from bot.models import EMPTIED, Bot, InboundMessage, OutboundMessage
from config.desk.money import exact
from usage.days import today
from usage.prices import price_completion
from users.models import User

BATCH = 1_000


@dataclass(slots=True)
class Plan:
    """The effects of a replay, as ids of dead letters. hopeless: {id: why a replay cannot help, in words}.

    stored: their stored reply is sent. notices: the text of a notice is sent. anew: the model is asked.
    cost_micros: the maximum cost of the model's answers, None without a known price.
    """

    stored: list[int] = field(default_factory=list)
    notices: list[int] = field(default_factory=list)
    anew: list[int] = field(default_factory=list)
    hopeless: dict[int, str] = field(default_factory=dict)
    cost_micros: int | None = 0

    @property
    def able(self) -> list[int]:
        """The ids that a replay may help."""
        return sorted([*self.stored, *self.notices, *self.anew])

    @property
    def lines(self) -> list[str]:
        """A sentence for each kind of effect; empty without any."""
        told = []
        if count := len(self.stored) + len(self.notices):
            text = ngettext(
                "%(count)d: what is stored for it is sent as it is, at no further cost of a model.",
                "%(count)d: what is stored for them is sent as it is, at no further cost of a model.",
                count,
            )
            told.append(text % {"count": count})
        if count := len(self.anew):
            known = _("%(count)d: the model is asked anew, which costs about %(cost)s at most.")
            unknown = _("%(count)d: the model is asked anew, which costs; how much is not known, for want of a price.")
            if self.cost_micros is None:
                told.append(unknown % {"count": count})
            else:
                told.append(known % {"count": count, "cost": exact(self.cost_micros)})
        return told


def plan_of(ids: Iterable[int]) -> Plan:
    """Return the plan for these dead letters; other ids are ignored. Four queries for each 1,000."""
    plan, costs = Plan(), _Costs()
    left = iter(sorted(set(ids)))
    while chosen := list(islice(left, BATCH)):
        dead = InboundMessage.objects.filter(id__in=chosen, state=InboundMessage.State.DEAD)
        _add(plan, list(dead.select_related("bot").defer("steps").order_by("id")), costs.of)
    return plan


def _add(plan: Plan, rows: Sequence[InboundMessage], cost_of: Callable[[Bot], int | None]) -> None:
    people = User.objects.for_identities((row.bot.channel, row.address) for row in rows if row.address)
    sendable = set(_sendable(rows))
    now = timezone.now()
    for row in rows:
        why = _hopeless(row, people.get((row.bot.channel, row.address)), now)
        if why:
            plan.hopeless[row.pk] = why
        elif row.turn_key in sendable and row.error_code != ErrorCode.INTERNAL_ERROR:
            plan.stored.append(row.pk)
        elif row.origin != InboundMessage.Origin.PERSON:
            plan.notices.append(row.pk)
        else:
            plan.anew.append(row.pk)
            cost = cost_of(row.bot)
            plan.cost_micros = None if cost is None or plan.cost_micros is None else plan.cost_micros + cost


def _sendable(rows: Sequence[InboundMessage]) -> Iterator[int]:
    """Yield the turns with a failed part that still has its text."""
    keys = {row.turn_key for row in rows if row.turn_key is not None}
    parts = OutboundMessage.objects.filter(turn_key__in=keys, status=OutboundMessage.Status.FAILED).exclude(text="")
    yield from parts.values_list("turn_key", flat=True)


def _hopeless(row: InboundMessage, person: User | None, now: datetime) -> str:
    """Return why a replay cannot help, in words; "" if it may."""
    if row.payload == EMPTIED:
        return _("what was written was erased")
    if person is None or not person.is_whitelisted:
        return _("who wrote it is not let in, or not any more")
    if not row.bot.is_active:
        return _("the bot is switched off: a replay would wait for it")
    channel = CHANNELS.get(row.bot.channel)
    window = channel.reply_window if channel else None
    if window and row.sent_at and now - row.sent_at > window:
        return _("the provider's time for replies is over: nothing is sent until the person writes again")
    return ""


class _Costs:
    """Cache of the maximum cost of an answer by bot: the longest prompt and the longest answer."""

    def __init__(self) -> None:
        self._known: dict[int, int | None] = {}

    def of(self, bot: Bot) -> int | None:
        """Return the maximum cost in micro-dollars, None without a known price."""
        if bot.pk not in self._known:
            self._known[bot.pk] = price_completion(
                provider=settings.LLM_PROVIDER,
                base_url=settings.OPENAI_BASE_URL,
                model=bot.model or settings.OPENAI_GPT_MODEL,
                model_answered="",
                input_tokens=settings.MAX_MODEL_TOKENS,
                cached_input_tokens=0,
                output_tokens=settings.MAX_REPLY_TOKENS,
                on=today(),
            ).cost_micros
        return self._known[bot.pk]
