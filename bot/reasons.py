"""Error codes of rows, in words for operators: what happened, and what to do about it.

(What a person is told stands in bot/errors.py.) A stored code is one of ErrorCode, ours with the provider's after a
colon (CHANNEL_ERROR:131026, UNCERTAIN:timeout), or the provider's alone, which its
channel explains.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bot.ai.standing import Refusal
from bot.channels.registry import CHANNELS
from bot.errors import ErrorCode
from bot.models import NO_REASON, RESOLVED, UNCERTAIN

Words = str | Promise


@dataclass(frozen=True, slots=True)
class Reason:
    """What a code means: in one short sentence, and what an operator can do (empty: nothing is to be done)."""

    says: Words
    advice: Words = ""

    def __str__(self) -> str:
        return " ".join(str(text) for text in (self.says, self.advice) if text)


WAIT_OR_RAISE = gettext_lazy("It is answered again tomorrow, or when the budget is raised.")
REPLAY = gettext_lazy("Look in the log for its turn, mend the cause, then replay it.")
TOLD = gettext_lazy("The person was told so.")

REASONS: Mapping[str, Reason] = {
    ErrorCode.RATE_LIMIT_EXCEEDED: Reason(gettext_lazy("More messages in a minute than the limit allows."), TOLD),
    ErrorCode.UNAUTHORIZED: Reason(
        gettext_lazy("Whoever wrote is not on the whitelist."), gettext_lazy("Allow them under Access requests.")
    ),
    ErrorCode.INVALID_INPUT: Reason(
        gettext_lazy("What the provider delivered could not be read."),
        gettext_lazy("It was put aside and nobody was answered; the detail is in its payload."),
    ),
    ErrorCode.OPENAI_API_ERROR: Reason(
        gettext_lazy("The model could not be reached, or gave no answer."),
        gettext_lazy("The person was asked to try again. If it goes on, look at the model's status and key."),
    ),
    ErrorCode.DATABASE_ERROR: Reason(gettext_lazy("The database did not answer."), REPLAY),
    ErrorCode.BUDGET_EXCEEDED: Reason(gettext_lazy("The person's budget for the day was used up."), WAIT_OR_RAISE),
    ErrorCode.BOT_BUDGET_EXCEEDED: Reason(gettext_lazy("The bot's budget for the day was used up."), WAIT_OR_RAISE),
    ErrorCode.GLOBAL_BUDGET_EXCEEDED: Reason(
        gettext_lazy("Everybody's budget for the day was used up."), WAIT_OR_RAISE
    ),
    ErrorCode.UNSUPPORTED_MESSAGE: Reason(gettext_lazy("A kind of message that bots cannot read."), TOLD),
    ErrorCode.MESSAGE_UNAVAILABLE: Reason(gettext_lazy("The provider could not hand the message over."), TOLD),
    ErrorCode.MESSAGE_TOO_LONG: Reason(gettext_lazy("The message was longer than what a model is shown."), TOLD),
    ErrorCode.CONVERSATION_TOO_LONG: Reason(
        gettext_lazy("The conversation did not fit into the model's context."),
        gettext_lazy("The person was told to send /reset. MAX_MODEL_TOKENS is more than the model's server takes."),
    ),
    ErrorCode.REQUEST_REFUSED: Reason(
        gettext_lazy("The model's server did not accept the request."),
        gettext_lazy("The person was told so. Its code and words are in the log line of the turn."),
    ),
    ErrorCode.CHANNEL_ERROR: Reason(
        gettext_lazy("The provider did not take the reply."),
        gettext_lazy("When the cause is gone, replay the message: the stored reply is sent, at no further cost."),
    ),
    ErrorCode.WINDOW_EXPIRED: Reason(
        gettext_lazy("The provider's time for replies was over (WhatsApp: 24 hours)."),
        gettext_lazy("Write to the person with a template, or wait until they write."),
    ),
    ErrorCode.CONFIGURATION_ERROR: Reason(
        gettext_lazy("The bot or the model is not set up completely."),
        gettext_lazy("Run manage.py check --database default: it names what is missing."),
    ),
    ErrorCode.PAYLOAD_TOO_LARGE: Reason(gettext_lazy("The delivery was larger than is accepted.")),
    ErrorCode.NOT_FOUND: Reason(gettext_lazy("What was asked for is not there.")),
    ErrorCode.INTERNAL_ERROR: Reason(gettext_lazy("Every attempt to answer it failed by an error of ours."), REPLAY),
    UNCERTAIN: Reason(
        gettext_lazy("The provider may or may not have it."),
        gettext_lazy(
            "Look in the chat itself or ask the person. If it arrived, mark it as sent; if not, send it again. "
            "A delivery status that still comes settles it by itself."
        ),
    ),
    RESOLVED: Reason(gettext_lazy("It was uncertain, until a delivery status or staff said that it arrived.")),
    NO_REASON: Reason(gettext_lazy("The provider says that it failed, and not why.")),
}

# What the model's server refuses, until an operator acts (bot/ai/standing.py).
REFUSED: Mapping[str, Reason] = {
    Refusal.KEY: Reason(
        gettext_lazy("The model's server refuses the key."),
        gettext_lazy("Set OPENAI_API_KEY to one that is valid and may use the model, and restart."),
    ),
    Refusal.MODEL: Reason(
        gettext_lazy("The model's server does not know the model %(model)s, or the key may not use it."),
        gettext_lazy("Correct the model's name at the bot, or OPENAI_GPT_MODEL, or take it from the models to choose."),
    ),
    Refusal.ADDRESS: Reason(
        gettext_lazy("There is no chat API at the address of the model's server."),
        gettext_lazy("Correct OPENAI_BASE_URL: for most servers it ends with /v1. Then restart."),
    ),
    Refusal.MONEY: Reason(
        gettext_lazy("The account at the model's provider has no credit left, or its quota is used up."),
        gettext_lazy("Add credit or raise the limit in the provider's billing settings; no restart is needed."),
    ),
}

# What keeps a request from any provider, in our own words for it; the codes of each provider stand with its channel.
CAUSES: Mapping[str, Words] = {
    "timeout": gettext_lazy("the provider did not answer in time"),
    "connection_lost": gettext_lazy("the connection broke before the provider answered"),
    "no_message_id": gettext_lazy("the provider's answer named no message"),
    "INTERRUPTED": gettext_lazy("the worker was stopped while it was sending"),
    "EARLIER": gettext_lazy("an earlier part is uncertain, so this one was held back"),
    "unreachable": gettext_lazy("the provider could not be reached"),
}


def reason_of(code: str, channel: str = "") -> Reason | None:
    """Return what a row's code means; None: it has none. A code that is not known is told as it is.

    channel: the slug of the channel whose provider may have given it; "": no provider did.
    """
    if not code:
        return None
    ours, _colon, detail = code.partition(":")
    known = REASONS.get(ours)
    if known is None:
        says = _("The provider refused it: %(why)s.") % {"why": _cause(code, channel)}
        return Reason(says)
    if not detail:
        return known
    if (refused := _refused(detail)) is not None:
        return refused
    says = _("%(what)s (%(why)s)") % {"what": str(known.says).removesuffix("."), "why": _cause(detail, channel)}
    return Reason(f"{says}.", known.advice)


def _refused(detail: str) -> Reason | None:
    kind, _colon, model = detail.partition(":")
    reason = REFUSED.get(kind)
    return Reason(str(reason.says) % {"model": model or "?"}, reason.advice) if reason else None


def cause_of(code: str, channel: str) -> str:
    """Return in words what a channel's provider gave as its reason, of a row's or a paused bot's code."""
    return _cause(code.partition(":")[2] or code, channel)


def _cause(code: str, channel: str) -> str:
    known = CHANNELS.get(channel)
    words = CAUSES.get(code) or (known.reasons.get(code) if known else None)
    if words is None and code.startswith("http_"):
        return _("it answered with HTTP status %(status)s") % {"status": code.removeprefix("http_")}
    if words is None:
        return _("error %(code)s") % {"code": code}
    return f"{words}, {code}" if code.isdecimal() else str(words)
