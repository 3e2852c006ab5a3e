"""/start and /join: redeem an invite in a chat, by members here and by strangers in a stage of its own."""

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from bot.models import Lease
from bot.pipeline.addresses import remember_addresses
from bot.pipeline.attempt_limit import may_try
from bot.pipeline.commands.help import show_help
from bot.pipeline.commands.registry import command
from bot.pipeline.services import Services
from bot.pipeline.turn import Turn
from bot.queue.access_requests import forget_requests, lock_requests
from bot.queue.link_notices import tell_of_link
from users.invite_codes import read_code
from users.invites import Outcome, Redemption, redeem

NAMES = ("join", "start")

OUTCOME_SENTENCES: dict[Outcome, Promise] = {
    Outcome.JOINED: _("Welcome! You can write to me now. /help lists what else I can do."),
    Outcome.ALREADY_IN: _("You are in already. Just write to me; /help lists what else I can do."),
    Outcome.TAKEN: _("This invite was made for somebody else. Please ask for one of your own."),
    Outcome.INVALID: _("This code is not valid, or not any more. Please ask for a new one."),
}


@command("join", _("join with an invite"), argument=_("CODE"), order=9, listed=False)
async def join(turn: Turn, services: Services, argument: str) -> str:
    """Reply that the person is a member already, or the result of redeeming the code."""
    return str(OUTCOME_SENTENCES[await try_code(turn, services, argument)])


@command("start", _("begin, or join with an invite"), argument=_("[CODE]"), order=10, listed=False)
async def start(turn: Turn, services: Services, argument: str) -> str:
    """Reply what the bot can do; with a code do the same as /join."""
    return await (join if argument else show_help)(turn, services, argument)


def code_in(turn: Turn) -> str | None:
    """Return the argument of /join or /start in a turn; None without one, or for another turn."""
    return turn.call.argument if turn.call and turn.call.name in NAMES and turn.call.argument else None


async def try_code(turn: Turn, services: Services, text: str) -> Outcome:
    """Redeem a code and set the turn's user.

    An address has a few attempts in an hour; beyond them no code is looked up.
    """
    code = read_code(text)
    if not code or not await may_try(turn, services, "codes"):
        return Outcome.ALREADY_IN if turn.is_of_member else Outcome.INVALID
    redemption = await services.database.run(_redeem, turn, code)
    if redemption.outcome is Outcome.JOINED:
        turn.user = redemption.person
    return redemption.outcome


def _redeem(turn: Turn, code: str) -> Redemption:
    name = next((message.profile_name for message in turn.messages if message.profile_name), "")
    channel = turn.bot.channel.slug
    with transaction.atomic():
        # A person who is being erased concurrently must not come back by it.
        Lease.objects.lock_own_or_raise(turn.lease)
        requests = lock_requests(channel, [turn.address])
        redemption = redeem(code, channel, turn.address, turn.user, name)
        if redemption.outcome is Outcome.JOINED and redemption.person:
            remember_addresses(turn, redemption.person)
            forget_requests(requests)
            if redemption.linked:
                tell_of_link(redemption.person, f"message:{turn.key}", (channel, turn.address))
    return redemption
