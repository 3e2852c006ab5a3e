"""Simulated people who are left over from the simulator."""

from datetime import datetime

from django.db.models import QuerySet

from users.models import User
from users.roles import Role

# Of the range reserved for fiction, like the number of the simulator's unknown person.
MADE_UP_NUMBERS = tuple(f"+1202555019{digit}" for digit in range(9))


def left_over_since(cutoff: datetime) -> QuerySet[User]:
    """Return simulated people as whom nobody has written since a moment."""
    made_up = User.objects.filter(phone_number__in=MADE_UP_NUMBERS, role=Role.USER, daily_budget_micros=0)
    return made_up.filter(updated_at__lt=cutoff)
