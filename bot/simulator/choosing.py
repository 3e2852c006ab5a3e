"""Whom one may write as in the simulator."""

from django.http import HttpRequest
from django.utils.translation import gettext as _

from bot.simulator import queries
from bot.simulator.chat import BadChoice
from bot.simulator.overbudget import OVER_BUDGET_NUMBER, NumberInUse, over_budget_person
from bot.simulator.rights import may_make_people_up
from users.models import User


def make_over_budget(request: HttpRequest) -> User:
    """Return the person who is over budget, made where there is none.

    Raises:
        BadChoice: this visitor may not, or the number is somebody's.
    """
    if not may_make_people_up(request):
        raise BadChoice(_("Only who may add people may write as somebody over budget."))
    try:
        return over_budget_person()
    except NumberInUse:
        raise BadChoice(_("A member of staff has the number of the person who is over budget.")) from None


def choose_person(number: str) -> tuple[str, User | None]:
    """Return whom to write as: a whitelisted person, or None: the unknown one, or one who is still to be made up.

    Raises:
        BadChoice: neither.
    """
    if number == queries.UNKNOWN_NUMBER:
        return number, None
    user = queries.find_person(number)
    if user is None and number != OVER_BUDGET_NUMBER:
        raise BadChoice(_("This person is not whitelisted. Choose another, or allow them in the admin."))
    return number, user
