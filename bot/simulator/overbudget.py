"""Somebody who is over budget, for trying out what such people are told.

A real row of a person who does not exist: a number that nobody has, a budget of nothing, and a millionth of a dollar
spent today (a model that costs nothing would pass a budget of nothing). It is made when somebody writes as them, and
the purge deletes it a day after they wrote last. It never costs anything, and counts in nobody else's budget.
"""

from django.db import transaction
from django.utils.translation import gettext as _

from bot.privacy.retention.made_up import MADE_UP_NUMBERS
from usage.days import today
from usage.models import DailySpend
from users.errors import AddressTaken, DuplicatePhoneNumber
from users.models import User
from users.roles import Role

OVER_BUDGET_NUMBER = MADE_UP_NUMBERS[-1]


class NumberInUse(ValueError):
    """A member of staff has the number, or somebody writes from it: it stays theirs."""


def over_budget_person() -> User:
    """Return the person, made or set right.

    Raises:
        NumberInUse: see there.
    """
    person = User.objects.filter(phone_number=OVER_BUDGET_NUMBER).first()
    if person is None:
        try:
            with transaction.atomic():
                person = User.objects.create_user(OVER_BUDGET_NUMBER, name=_("Simulator: over budget"))
        except AddressTaken:
            raise NumberInUse from None
        except DuplicatePhoneNumber:
            person = User.objects.get(phone_number=OVER_BUDGET_NUMBER)
    if person.role != Role.USER:
        raise NumberInUse
    person.is_whitelisted, person.daily_budget_micros = True, 0
    # (Its time counts as the last use.)
    person.save(update_fields=["is_whitelisted", "daily_budget_micros", "updated_at"])
    DailySpend.objects.get_or_create(user=person, bot="", day=today(), defaults={"spent_micros": 1})
    return person
