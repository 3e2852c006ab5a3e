"""People whom the simulator has made up: who is left over."""

from datetime import datetime

from django.db.models import QuerySet

from users.models import User
from users.roles import Role

# Of the range that is kept free for fiction, like the unknown person's.
MADE_UP_NUMBERS = tuple(f"+1202555019{digit}" for digit in range(9))


def left_over_since(cutoff: datetime) -> QuerySet[User]:
    """Return who was made up and as whom nobody has written since then."""
    made_up = User.objects.filter(phone_number__in=MADE_UP_NUMBERS, role=Role.USER, daily_budget_micros=0)
    return made_up.filter(updated_at__lt=cutoff)
