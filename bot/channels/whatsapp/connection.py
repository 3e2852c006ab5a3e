"""Ask the Cloud API which number a phone number id is, and say in a sentence what keeps it from telling."""

from typing import Any

import aiohttp
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from bot.channels.connection import Account, CheckError, Connection
from bot.channels.sending import SendError
from bot.channels.whatsapp import api
from bot.text import clean

FIELDS = "id,display_phone_number,verified_name,quality_rating"
LONGEST_SHOWN = 100

QUALITY: dict[str, str | Promise] = {"GREEN": _("high"), "YELLOW": _("medium"), "RED": _("low")}
NOT_RATED = _("not rated yet")

REFUSED, UNREADABLE = "refused", "unreadable_answer"
DOWN, TOKEN_REFUSED, PERMISSION = "provider_down", "token_refused", "permission_missing"
UNKNOWN, THROTTLED, RESTRICTED = "account_unknown", "throttled", "account_restricted"

# What each code of a SendError (the Graph API's, or a word of ours) means here, unless it means itself.
MEANINGS = {
    **dict.fromkeys(("0", str(api.TOKEN_REFUSED)), TOKEN_REFUSED),
    # 100: no such object, or one without these fields, as a business account is. 33: the number was deleted.
    **dict.fromkeys(("33", "100", "803"), UNKNOWN),
    **dict.fromkeys(("3", "10", *map(str, range(200, 300))), PERMISSION),
    **dict.fromkeys(("4", "17", "32", "613", "80007", "80008", "130429", "http_429"), THROTTLED),
    **dict.fromkeys(("368", "131031"), RESTRICTED),
    **dict.fromkeys(("1", "2", "131000", "131016"), DOWN),
}

SENTENCES: dict[str, str | Promise] = {
    "access_token_missing": _(
        "The access token is missing, or holds characters that no token has: generate a permanent one for a system "
        "user in Meta's business settings, and enter it at the bot."
    ),
    "phone_number_id_missing": _(
        "The phone number ID is missing: copy it from WhatsApp, API Setup, in Meta's app dashboard, and enter it at "
        "the bot."
    ),
    "phone_number_id_wrong": _(
        "The phone number ID is wrong: it has digits only. Copy it from WhatsApp, API Setup, in Meta's app dashboard, "
        "and enter it at the bot."
    ),
    TOKEN_REFUSED: _(
        "Meta refuses the access token: it has expired, was revoked or is not complete. Generate a permanent one for a "
        "system user in Meta's business settings, and enter it at the bot."
    ),
    UNKNOWN: _(
        "Meta shows this token no phone number with this ID: enter the phone number ID (neither the number itself nor "
        "the ID of the WhatsApp Business Account), and assign the WhatsApp account to the token's system user."
    ),
    PERMISSION: _(
        "The access token lacks a permission: generate one with whatsapp_business_messaging and "
        "whatsapp_business_management, and assign the WhatsApp account to its system user."
    ),
    THROTTLED: _("Meta takes no more requests for the moment: wait some minutes, and test again."),
    RESTRICTED: _("Meta has restricted or locked this account: WhatsApp Manager says why, and how to appeal."),
    DOWN: _("Meta's API has trouble of its own: wait some minutes, and test again."),
    "unreachable": _(
        "Meta's API cannot be reached from here: look at the network, the name server, the firewall and "
        "WHATSAPP_API_URL."
    ),
    "invalid_url": _("WHATSAPP_API_URL is no address that can be called: correct it, or leave it out."),
    "timeout": _("Meta's API did not answer in time: test again, and if it stays so, look at the network."),
    "connection_lost": _(
        "The connection to Meta's API broke off: test again, and if it stays so, look at the network."
    ),
    UNREADABLE: _(
        "The answer is not one of Meta's API: look at WHATSAPP_API_URL, and whether a proxy stands in between."
    ),
    REFUSED: _("Meta refuses with error %(code)s: look it up in Meta's list of WhatsApp error codes."),
}


async def check(client: aiohttp.ClientSession, account: Account) -> Connection:
    """Return the number, the verified name and the quality rating of the account.

    Raises:
        CheckError: its code is a key of SENTENCES.
    """
    try:
        answer = await api.read(client, account, FIELDS)
    except SendError as error:
        raise _explained(error) from None
    number = _shown(answer, "display_phone_number")
    if not number or _shown(answer, "id") != account.account_id:
        raise CheckError(UNREADABLE, str(SENTENCES[UNREADABLE]))
    facts = {
        "name": _shown(answer, "verified_name") or "–",
        "number": number,
        "quality": QUALITY.get(_shown(answer, "quality_rating"), NOT_RATED),
    }
    return Connection(gettext("Connected: %(name)s, %(number)s (quality rating: %(quality)s).") % facts, contact=number)


def _explained(error: SendError) -> CheckError:
    code = MEANINGS.get(error.code, error.code)
    if code not in SENTENCES:
        code = _by_status(error)
    sentence = str(SENTENCES[code]) % {"code": error.code}
    return CheckError(code, sentence, error_code=error.code, provider_request_id=error.provider_request_id)


def _by_status(error: SendError) -> str:
    """Return what a code means that nobody has told us about."""
    if error.credentials_refused:
        return TOKEN_REFUSED
    if error.retryable or error.code.startswith("http_5"):
        return DOWN
    return UNREADABLE if error.code.startswith("http_") else REFUSED


def _shown(answer: Any, key: str) -> str:
    """Return a text of the answer on one line, or an empty string."""
    value = answer.get(key) if isinstance(answer, dict) else None
    return " ".join(clean(value[:LONGEST_SHOWN]).split()) if isinstance(value, str) else ""
