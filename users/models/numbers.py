"""What the database accepts as a phone number, and what it takes for one and the same."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Concat, Left, Length, Substr
from django.db.models.lookups import Exact, GreaterThanOrEqual, In
from django.utils.translation import gettext_lazy as _

from users.phone import InvalidPhoneNumber, read_number


def validate_phone_number(value: str) -> None:
    """Accept any spelling that can be read as a phone number."""
    try:
        read_number(value)
    except InvalidPhoneNumber as error:
        raise ValidationError(str(error), code="invalid") from None


# users.phone.variants() in SQL: the spelling without the optional digit. As an index expression it stops two processes
# that race with two spellings of one number; only the database can decide that. Of Brazil, Mexico and Argentina:
# whoever has both spellings of a number of Côte d'Ivoire or Benin on the list already, as they had to, could not
# upgrade with an index of these, so create_user() asks.
_LONGEST = Q(Exact(Length("phone_number"), Value(14)))
_MEXICO_OR_ARGENTINA = _LONGEST & Q(In(Left("phone_number", 4), [Value("+521"), Value("+549")]))
_BRAZIL = (
    _LONGEST
    & Q(Exact(Left("phone_number", 3), Value("+55")))
    & Q(Exact(Substr("phone_number", 6, 1), Value("9")))
    & Q(GreaterThanOrEqual(Substr("phone_number", 7, 1), Value("6")))
)
CANONICAL_NUMBER = Case(
    When(_MEXICO_OR_ARGENTINA, then=Concat(Left("phone_number", 3), Substr("phone_number", 5))),
    When(_BRAZIL, then=Concat(Left("phone_number", 5), Substr("phone_number", 7))),
    default=F("phone_number"),
)
NUMBER_CONSTRAINTS: list[models.BaseConstraint] = [
    models.UniqueConstraint(
        CANONICAL_NUMBER,
        name="users_user_one_per_number",
        violation_error_message=_("Somebody has this phone number already, perhaps in another spelling."),
    ),
    # Also keeps "" out, which would make the second person without a number a duplicate of the first.
    models.CheckConstraint(
        condition=Q(Exact(Left("phone_number", 1), Value("+"))) & Q(GreaterThanOrEqual(Length("phone_number"), 5)),
        name="users_user_number_is_e164",
        violation_error_message=_("A phone number is stored as + and its digits."),
    ),
]
