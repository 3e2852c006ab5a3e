"""Standing refusals of the model's server, derived from the results of the last calls.

A refused turn has the refusal as its error code; an answered call has a usage record. If the newest of the two is the
refusal, it stands. So it ends with the next answer, and costs no turn a statement.
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

# In display order.
OF_EVERY_MODEL = (Refusal.KEY, Refusal.ADDRESS, Refusal.MONEY)


@dataclass(frozen=True, slots=True)
class Standing:
    """A standing refusal. code: the error code of the turns it ended. model: the unknown model, else ""."""

    refusal: Refusal
    code: str
    at: datetime
    model: str = ""

    @property
    def reason(self) -> Reason:
        """Its explanation, with what to do."""
        return reason_of(self.code) or Reason(self.code)


def standing_refusals(bots: Iterable[Bot]) -> list[Standing]:
    """Return the standing refusals for these bots. One query, and one for each refusal that was not purged yet."""
    if settings.LLM_PROVIDER != "openai":
        return []
    codes: dict[str, tuple[Refusal, str]] = {refusal_code(refusal): (refusal, "") for refusal in OF_EVERY_MODEL}
    # Only models still in use, because the refusal of another would never end.
    codes |= {refusal_code(Refusal.MODEL, name): (Refusal.MODEL, name) for name in models_in_use(bots)}
    # The condition of the partial index on failures.
    failed = InboundMessage.objects.exclude(error_code="").filter(error_code__in=codes).order_by()
    latest = dict(failed.values_list("error_code").annotate(Max("finished_at")))
    found = [Standing(refusal, code, latest[code], name) for code, (refusal, name) in codes.items() if latest.get(code)]
    return [one for one in found if not _has_answered_since(one)]


def models_in_use(bots: Iterable[Bot]) -> list[str]:
    """Return the models that active bots use or offer, in alphabetical order."""
    names = {name for bot in bots if bot.is_active for name in models_of(bot)}
    return sorted(names)


def models_of(bot: Bot) -> tuple[str, ...]:
    """Return the models that a bot may use, its own first."""
    return tuple(dict.fromkeys((bot.model or settings.OPENAI_GPT_MODEL, *bot.models_to_choose())))


def _has_answered_since(refused: Standing) -> bool:
    answers = UsageRecord.objects.filter(created_at__gt=refused.at)
    return (answers.filter(model=refused.model) if refused.model else answers).exists()
