"""Senders of claimed turns: look up people by the one or two addresses that messages carry."""

import logging

from bot.ai.base import ChatMessage
from bot.pipeline.turn import Turn
from conversations.memory import recent_of_many
from users.models import Identity, Pair, User
from users.phone import is_e164

logger = logging.getLogger(__name__)

HISTORY_MESSAGES = 50


def load_senders(turns: list[Turn]) -> None:
    """Load the person and conversation of each turn, and note second addresses that are to be linked.

    Part of the transaction that claims the turns.
    """
    pairs = {(turn.bot.channel.slug, address) for turn in turns for address in _addresses(turn)}
    people = User.objects.for_identities(sorted(pairs))
    for turn in turns:
        named = [people.get((turn.bot.channel.slug, address)) for address in _addresses(turn)]
        turn.user = next((user for user in named if user), None)
        turn.other_address_known = all(named)
        if len(set(filter(None, named))) > 1:
            _doubt(turn)
    _doubt_numbers(turns, people)
    known = [(turn.user.pk, turn.bot.slug) for turn in turns if turn.user and turn.is_of_member and not turn.parts]
    histories = recent_of_many(known, HISTORY_MESSAGES)
    for turn in turns:
        if turn.user:
            recent = histories.get((turn.user.pk, turn.bot.slug), [])
            turn.history = [ChatMessage(message.role, message.content) for message in recent]


def _doubt_numbers(turns: list[Turn], people: dict[Pair, User]) -> None:
    """Detach the person from turns whose second address is not theirs: the number may have changed hands.

    One query, only if a person with a known second address comes with a new one.
    """
    new = {
        turn.key: turn
        for turn in turns
        if turn.user
        and is_e164(turn.address)
        and any((turn.bot.channel.slug, address) not in people for address in _addresses(turn)[1:])
    }
    if not new:
        return
    channels = {turn.bot.channel.slug for turn in new.values()}
    keys = {turn.user.pk for turn in new.values() if turn.user}
    ids = Identity.objects.filter(user__in=keys, channel__in=channels).values_list("user", "channel", "address")
    with_id = {(key, channel) for key, channel, address in ids if not is_e164(address)}
    for turn in new.values():
        if turn.user and (turn.user.pk, turn.bot.channel.slug) in with_id:
            _doubt(turn)


def _doubt(turn: Turn) -> None:
    """Detach the person from a turn whose two addresses contradict each other."""
    logger.warning("identity_conflict", extra=turn.log_ids)
    turn.user, turn.in_doubt = None, True


def _addresses(turn: Turn) -> list[str]:
    others = (message.other_address for message in turn.messages if message.other_address)
    return list(dict.fromkeys([turn.address, *others]))
