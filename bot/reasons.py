"""Error codes of rows, in words for operators: what happened, and what to do about it.

(What a person is told stands in bot/errors.py.) A stored code is one of ErrorCode, ours with the provider's after a
colon (CHANNEL_ERROR:131026, UNCERTAIN:timeout), or the provider's alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bot.ai.standing import Refusal
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

# What follows UNCERTAIN: how it came about.
UNCERTAINTIES: Mapping[str, Words] = {
    "timeout": gettext_lazy("the provider did not answer in time"),
    "connection_lost": gettext_lazy("the connection broke before the provider answered"),
    "no_message_id": gettext_lazy("the provider's answer named no message"),
    "INTERRUPTED": gettext_lazy("the worker was stopped while it was sending"),
    "EARLIER": gettext_lazy("an earlier part is uncertain, so this one was held back"),
}

# Codes of WhatsApp's Cloud API, and our own words for what keeps a request from it.
NO_PERMISSION = gettext_lazy("the access token lacks a permission, or the account is not assigned to it")
PROVIDER: Mapping[str, Words] = {
    **dict.fromkeys(("3", "10", "131005", *map(str, range(200, 300))), NO_PERMISSION),
    "0": gettext_lazy("the access token cannot be read"),
    "33": gettext_lazy("the phone number was deleted"),
    "100": gettext_lazy("the request has a value that it does not accept, or no such phone number is known"),
    "102": gettext_lazy("the access token is not valid any more"),
    "190": gettext_lazy("the access token is refused"),
    "368": gettext_lazy("the account is restricted for a breach of the provider's policy"),
    "130429": gettext_lazy("too many messages at once"),
    "130472": gettext_lazy("the person's number is part of an experiment of the provider's"),
    "131000": gettext_lazy("an error of the provider's own"),
    "131016": gettext_lazy("the provider's service is down for the moment"),
    "131026": gettext_lazy("the number has no WhatsApp, or an old one, or has not accepted its terms"),
    "131031": gettext_lazy("the account is locked"),
    "131037": gettext_lazy("the display name of the number is not approved"),
    "131042": gettext_lazy("there is a problem with the account's payment"),
    "131045": gettext_lazy("the phone number's registration is not complete"),
    "131047": gettext_lazy("more than 24 hours have passed since the person wrote"),
    "131048": gettext_lazy("too many people have reported or blocked this number"),
    "131049": gettext_lazy("the provider held it back so that the person is not written to too often"),
    "131051": gettext_lazy("it does not know this kind of message"),
    "131053": gettext_lazy("the document could not be uploaded"),
    "131056": gettext_lazy("too many messages to this person at once"),
    "133010": gettext_lazy("the phone number is not registered"),
    "access_token_missing": gettext_lazy("the bot has no access token"),
    "phone_number_id_missing": gettext_lazy("the bot has no phone number id"),
    "phone_number_id_wrong": gettext_lazy("the bot's phone number id is none: it has digits only"),
    "unreachable": gettext_lazy("the provider could not be reached"),
    "invalid_url": gettext_lazy("WHATSAPP_API_URL is no address that can be called"),
    "no_media_id": gettext_lazy("the provider's answer to the upload named no document"),
}


def reason_of(code: str) -> Reason | None:
    """Return what a row's code means; None: it has none. A code that is not known is told as it is."""
    if not code:
        return None
    ours, _colon, detail = code.partition(":")
    known = REASONS.get(ours)
    if known is None:
        says = _("The provider refused it: %(why)s.") % {"why": _cause(code, PROVIDER)}
        return Reason(says)
    if not detail:
        return known
    if (refused := _refused(detail)) is not None:
        return refused
    causes = UNCERTAINTIES if ours == UNCERTAIN else PROVIDER
    says = _("%(what)s (%(why)s)") % {"what": str(known.says).removesuffix("."), "why": _cause(detail, causes)}
    return Reason(f"{says}.", known.advice)


def _refused(detail: str) -> Reason | None:
    kind, _colon, model = detail.partition(":")
    reason = REFUSED.get(kind)
    return Reason(str(reason.says) % {"model": model or "?"}, reason.advice) if reason else None


def cause_of(code: str) -> str:
    """Return in words what the provider gave as its reason, of a row's or a paused bot's code that holds one."""
    return _cause(code.partition(":")[2] or code, PROVIDER)


def _cause(code: str, causes: Mapping[str, Words]) -> str:
    words = causes.get(code)
    if words is None and code.startswith("http_"):
        return _("it answered with HTTP status %(status)s") % {"status": code.removeprefix("http_")}
    if words is None:
        return _("error %(code)s") % {"code": code}
    return f"{words}, {code}" if code.isdecimal() else str(words)
