"""What the model's server refuses at this moment: concluded from how the last calls ended.

A turn that was refused has the refusal in its error code; a call that was answered has a usage record. Where the newest
of the two is the refusal, it stands. So it ends by itself with the next answer, and no turn pays a statement for it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Max

from bot.ai.standing import Refusal, refusal_code
from bot.models import Bot, InboundMessage
from bot.reasons import Reason, reason_of
from usage.models import UsageRecord

# In the order in which they are told.
OF_EVERY_MODEL = (Refusal.KEY, Refusal.ADDRESS, Refusal.MONEY)


@dataclass(frozen=True, slots=True)
class Standing:
    """A refusal that stands. code: what the turns it ended are stored with; model: which one is unknown, else ""."""

    refusal: Refusal
    code: str
    at: datetime
    model: str = ""

    @property
    def reason(self) -> Reason:
        """What it means and what to do, in words."""
        return reason_of(self.code) or Reason(self.code)


def standing_refusals(bots: Iterable[Bot]) -> list[Standing]:
    """Return what is refused now, for these bots. One query; one more for each refusal that was not purged yet."""
    if settings.LLM_PROVIDER != "openai":
        return []
    codes: dict[str, tuple[Refusal, str]] = {refusal_code(refusal): (refusal, "") for refusal in OF_EVERY_MODEL}
    # Of those only that are asked still: nothing else would ever end it.
    codes |= {refusal_code(Refusal.MODEL, name): (Refusal.MODEL, name) for name in models_in_use(bots)}
    # What the index of failures is of.
    failed = InboundMessage.objects.exclude(error_code="").filter(error_code__in=codes).order_by()
    latest = dict(failed.values_list("error_code").annotate(Max("finished_at")))
    found = [Standing(refusal, code, latest[code], name) for code, (refusal, name) in codes.items() if latest.get(code)]
    return [one for one in found if not _has_answered_since(one)]


def models_in_use(bots: Iterable[Bot]) -> list[str]:
    """Return the models that active bots ask, or let people choose, in alphabetical order."""
    names = {name for bot in bots if bot.is_active for name in models_of(bot)}
    return sorted(names)


def models_of(bot: Bot) -> tuple[str, ...]:
    """Return the models that a bot may ask, its own first."""
    return tuple(dict.fromkeys((bot.model or settings.OPENAI_GPT_MODEL, *bot.models_to_choose())))


def _has_answered_since(refused: Standing) -> bool:
    answers = UsageRecord.objects.filter(created_at__gt=refused.at)
    return (answers.filter(model=refused.model) if refused.model else answers).exists()
