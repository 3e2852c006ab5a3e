"""Who of the staff writes as somebody in the simulator: known to the turn, whose commands need their rights as well."""

from collections.abc import Sequence

from bot.pipeline.turn import Turn
from users.models import User


def load_visitors(turns: Sequence[Turn]) -> None:
    """Load who wrote the turns that come from the simulator. One query, or none."""
    ids = {turn.visitor_id for turn in turns if turn.visitor_id is not None}
    # (Who is no member of staff any more has no rights here.)
    known = User.objects.filter(is_staff=True).in_bulk(ids) if ids else {}
    for turn in turns:
        turn.visitor = known.get(turn.visitor_id) if turn.visitor_id is not None else None
