"""Connection test of a bot: its provider's answer, and other problems that keep it from working."""

import logging
from dataclasses import dataclass, field

from django.utils.translation import gettext

from bot.channels.channel import Channel
from bot.channels.connection import Account, CheckError, Connection
from bot.channels.registry import CHANNELS
from bot.models import Bot
from bot.models.encryption import Unreadable
from bot.operations.model_check import run_in_own_loop
from bot.operations.model_trial import try_model

logger = logging.getLogger(__name__)

CONNECTED = "connected"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a test: the account according to the provider (None: unknown), problems, and hints.

    The bot works if there are no problems. model: a sentence that its model answers.
    """

    connection: Connection | None
    problems: tuple[CheckError, ...] = ()
    hints: tuple[str, ...] = field(default=(), repr=False)
    model: str = ""

    @property
    def successes(self) -> list[str]:
        """Sentences about what works."""
        return [said for said in (self.connection.sentence if self.connection else "", self.model) if said]


def try_connection(bot: Bot) -> Outcome:
    """Ask a bot's provider for its account and its model for a word, and log the result. Sends nothing to people.

    The model's call is billed like any other. Takes the timeouts of the adapter and of the model's test at most. Not
    for an event loop: it runs one of its own.
    """
    connection, problems = None, []
    if isinstance(bot.credentials, Unreadable):
        problems.append(_unreadable())
    elif (channel := CHANNELS.get(bot.channel)) is None:
        problems.append(_unknown(bot.channel))
    else:
        account = Account(bot=bot.slug, account_id=bot.account_id, credentials=bot.credentials)
        try:
            connection = _ask(channel, account)
        except CheckError as error:
            problems.append(error)
        told = {problem.code for problem in problems}
        problems += [missing for missing in _missing(channel, account) if missing.code not in told]
    said, refused, warnings = try_model(bot)
    problems += refused
    _log(bot, problems)
    return Outcome(connection, tuple(problems), (*_hints(bot, connection), *warnings), said)


def _ask(channel: Channel, account: Account) -> Connection:
    # Late import: 9 MB that only this button's page needs.
    import aiohttp

    async def ask() -> Connection:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client:
            return await channel.check(client, account)

    return run_in_own_loop(ask())


def _unreadable() -> CheckError:
    return CheckError(
        "credentials_unreadable",
        gettext(
            "The secrets were encrypted with another SECRET_KEY: add that to SECRET_KEY_FALLBACKS, or enter them again."
        ),
    )


def _unknown(channel: str) -> CheckError:
    sentence = gettext("Its channel “%(channel)s” is not known here: choose another one, or switch the bot off.")
    return CheckError("channel_unknown", sentence % {"channel": channel})


def _missing(channel: Channel, account: Account) -> list[CheckError]:
    """Return a problem for each missing secret: a provider that we can reach may not be able to reach us."""
    sentence = gettext("“%(label)s” is missing, and without it no webhook is accepted: enter it at the bot.")
    return [
        CheckError(f"{credential.name}_missing", sentence % {"label": credential.label})
        for credential in channel.credentials
        if not account.credentials.get(credential.name, "").strip()
    ]


def _hints(bot: Bot, connection: Connection | None) -> list[str]:
    hints = []
    if connection and (number := _other_contact(bot, connection)):
        hint = gettext(
            "The bot's contact is %(contact)s, but its account is %(number)s: links that invite people lead elsewhere. "
            "Correct the one or the other."
        )
        hints.append(hint % {"contact": bot.contact, "number": number})
    if connection and bot.paused_at:
        hints.append(gettext("The bot is paused and answers nobody: resume it in the list of bots."))
    if not bot.is_active:
        hints.append(gettext("The bot is not active: its webhook URL does not exist."))
    return hints


def _other_contact(bot: Bot, connection: Connection) -> str:
    """Return the account's number if the bot's contact differs from it."""
    channel = CHANNELS[bot.channel]  # known, as its provider has answered
    try:
        entered, theirs = channel.read_contact(bot.contact), channel.read_contact(connection.contact)
    except ValueError:
        return ""  # spelled in a way that cannot be compared
    return theirs if entered and theirs and entered != theirs else ""


def _log(bot: Bot, problems: list[CheckError]) -> None:
    first = problems[0] if problems else None
    logger.log(
        logging.WARNING if first else logging.INFO,
        "connection_tested",
        extra={
            "bot": bot.slug,
            "outcome": first.code if first else CONNECTED,
            "error_code": first.error_code if first else "",
            "provider_request_id": first.provider_request_id if first else "",
        },
    )
