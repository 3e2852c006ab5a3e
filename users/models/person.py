"""The person: one row with one role, in chat and in the admin."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import PermissionsMixin
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models, transaction
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Concat, Left, Length, Substr
from django.db.models.lookups import Exact, GreaterThanOrEqual, In
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from users.linking import end_invites_of
from users.managers import UserManager, read_number
from users.owners import keep_an_owner
from users.phone import InvalidPhoneNumber, mask
from users.roles import Role as Role
from users.roles import role_flags


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


class User(AbstractBaseUser, PermissionsMixin):
    """One person. Who only chats has no usable password; who is known by identities alone has no phone number."""

    phone_number = models.CharField(
        _("phone number"), max_length=16, unique=True, null=True, blank=True, validators=[validate_phone_number]
    )
    name = models.CharField(_("name"), max_length=200, blank=True, default="")
    role = models.CharField(_("role"), max_length=16, choices=Role.choices, default=Role.USER)
    is_whitelisted = models.BooleanField(_("whitelisted"), default=False, help_text=_("May talk to the bots."))
    is_staff = models.BooleanField(_("staff"), default=False, help_text=_("May sign in to the admin."))
    daily_budget_micros = models.BigIntegerField(
        _("daily budget"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("In micro-dollars (1,000,000 are one dollar). Empty: USER_DAILY_BUDGET_USD."),
    )
    last_seen_at = models.DateTimeField(
        _("last seen"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("When they last wrote to a bot, to a quarter of an hour. Empty: never."),
    )
    numbered_at = models.DateTimeField(
        _("number since"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("When the phone number was changed last. Empty: never."),
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects = UserManager()

    USERNAME_FIELD = "phone_number"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        # What the list of people is filtered and ordered by. Few have a role, so that theirs is small.
        indexes = [
            models.Index(fields=["last_seen_at", "id"], name="users_user_seen"),
            models.Index(fields=["is_whitelisted", "id"], name="users_user_whitelisted"),
            models.Index(fields=["role", "id"], name="users_user_role", condition=~Q(role=Role.USER)),
            models.Index(fields=["id"], name="users_user_staff", condition=Q(is_staff=True)),
        ]
        constraints = [
            models.UniqueConstraint(
                CANONICAL_NUMBER,
                name="users_user_one_per_number",
                violation_error_message=_("Somebody has this phone number already, perhaps in another spelling."),
            ),
            # Also keeps "" out, which would make the second person without a number a duplicate of the first.
            models.CheckConstraint(
                condition=Q(Exact(Left("phone_number", 1), Value("+")))
                & Q(GreaterThanOrEqual(Length("phone_number"), 5)),
                name="users_user_number_is_e164",
                violation_error_message=_("A phone number is stored as + and its digits."),
            ),
        ]

    def __str__(self) -> str:
        number = mask(self.phone_number) if self.phone_number else ""
        if self.name:
            return f"{self.name} ({number})" if number else self.name
        return number or f"person {self.pk}"

    def get_full_name(self) -> str:
        """Return the name, by Django's name for it."""
        return self.name

    def clean(self) -> None:
        """Normalise the phone number; a blank one becomes None."""
        try:
            self.phone_number = read_number(self.phone_number) if self.phone_number else None
        except InvalidPhoneNumber as error:
            raise ValidationError({"phone_number": str(error)}) from None

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete the person.

        Raises:
            LastOwner: no owner would be left.
        """
        with transaction.atomic():
            keep_an_owner([self.pk])
            end_invites_of([self.pk])
            return super().delete(*args, **kwargs)

    def set_role(self, role: str) -> None:
        """Take on a role and the flags that follow from it; nothing is saved.

        Who becomes staff signs in with no password of before: somebody else may have set it.

        Raises:
            ValueError: there is no such role.
        """
        flags = role_flags(role)
        if flags.is_staff and not self.is_staff and self.pk is not None:
            self.set_unusable_password()
        self.role, self.is_staff, self.is_superuser = Role(role), flags.is_staff, flags.is_superuser
