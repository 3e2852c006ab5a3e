"""Load what claimed turns need, each with one query for all of them. Part of the transaction that claims them."""

from bot.models import ModelChoice, OutboundMessage
from bot.pipeline.turn import Turn
from bot.worker.erased import without_erased
from bot.worker.quotes import load_quoted
from bot.worker.senders import load_senders
from users.models import User


def load(turns: list[Turn]) -> list[Turn]:
    """Load replies that are stored, who wrote, what was said before, and choices; return the turns that are answered.

    What the others wrote is deleted: they were erased meanwhile.
    """
    _load_replies(turns)
    _load_visitors(turns)
    load_senders(turns)
    load_quoted(turns)
    turns = without_erased(turns)
    _load_choices(turns)
    return turns


def _load_replies(turns: list[Turn]) -> None:
    """Load the replies that are stored. A message's turn is noted with its reply: without one there is none to load."""
    stored = OutboundMessage.objects.parts_of(turn.key for turn in turns if turn.is_stored)
    for turn in turns:
        turn.parts = stored.get(turn.key, [])


def _load_visitors(turns: list[Turn]) -> None:
    """Load who wrote the turns that come from the simulator. One query, or none."""
    ids = {turn.visitor_id for turn in turns if turn.visitor_id is not None}
    # Who is no member of staff any more has no rights here.
    known = User.objects.filter(is_staff=True).in_bulk(ids) if ids else {}
    for turn in turns:
        turn.visitor = known.get(turn.visitor_id) if turn.visitor_id is not None else None


def _load_choices(turns: list[Turn]) -> None:
    """Load which models people have chosen, of those bots only that leave a choice."""
    choosing = {turn.key: (turn.bot.id, turn.user.pk) for turn in turns if turn.user and turn.bot.allowed_models}
    chosen = ModelChoice.objects.of_many(choosing.values())
    for turn in turns:
        if turn.key in choosing:
            turn.chosen_model = chosen.get(choosing[turn.key], "")
