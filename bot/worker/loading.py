"""Bulk loading for claimed turns: one query of each kind for all turns, in the transaction that claims them."""

from bot.models import ModelChoice, OutboundMessage
from bot.pipeline.turn import Turn
from bot.worker.erased import without_erased
from bot.worker.quotes import load_quoted
from bot.worker.senders import load_senders
from users.models import User


def load(turns: list[Turn]) -> list[Turn]:
    """Load stored replies, senders, conversations and choices; return the turns that are to be answered.

    Messages of people who were erased meanwhile are deleted.
    """
    _load_replies(turns)
    _load_visitors(turns)
    load_senders(turns)
    load_quoted(turns)
    turns = without_erased(turns)
    _load_choices(turns)
    return turns


def _load_replies(turns: list[Turn]) -> None:
    """Load stored replies. A message without a turn key has none, as the key is stored together with the reply."""
    stored = OutboundMessage.objects.parts_of(turn.key for turn in turns if turn.is_stored)
    for turn in turns:
        turn.parts = stored.get(turn.key, [])


def _load_visitors(turns: list[Turn]) -> None:
    """Load the staff who wrote turns in the simulator, in at most one query."""
    ids = {turn.visitor_id for turn in turns if turn.visitor_id is not None}
    # Former staff have no rights here.
    known = User.objects.filter(is_staff=True).in_bulk(ids) if ids else {}
    for turn in turns:
        turn.visitor = known.get(turn.visitor_id) if turn.visitor_id is not None else None


def _load_choices(turns: list[Turn]) -> None:
    """Load people's choices of a model, for bots that offer a choice."""
    choosing = {turn.key: (turn.bot.id, turn.user.pk) for turn in turns if turn.user and turn.bot.allowed_models}
    chosen = ModelChoice.objects.of_many(choosing.values())
    for turn in turns:
        if turn.key in choosing:
            turn.chosen_model = chosen.get(choosing[turn.key], "")
