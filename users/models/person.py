"""The person: one row with one role, in chat and in the admin; created once however their number is written."""

from collections.abc import Collection, Iterable
from dataclasses import asdict
from typing import Any, ClassVar, Self

from asgiref.sync import sync_to_async
from django.apps import apps
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from users.errors import AddressTaken, DuplicatePhoneNumber, LastOwner
from users.models.lookups import PeopleByAddress
from users.models.numbers import NUMBER_CONSTRAINTS, validate_phone_number
from users.number_lock import lock_numbers
from users.phone import InvalidPhoneNumber, is_e164, mask, read_number, variants
from users.roles import Role, role_flags


class UserQuerySet(PeopleByAddress["User"]):
    """People, by what names them and by what they may do."""

    def whitelisted(self) -> Self:
        """Keep the people who may talk to the bots."""
        return self.filter(is_whitelisted=True)

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete these people.

        Raises:
            LastOwner: no owner would be left; nobody is deleted.
        """
        with transaction.atomic(using=self.db):
            leaving = list(self.values_list("pk", flat=True))
            _let_go(leaving)
            return super().delete()

    # As Django's own: for chosen rows, not for the whole table by a slip of the pen.
    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]


_UserManager = models.Manager.from_queryset(UserQuerySet)


class UserManager(_UserManager["User"], BaseUserManager["User"]):
    """Creates people, changes what they may do, and links the addresses channels know them by."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the person who signs in with this number, in any spelling.

        Raises:
            User.DoesNotExist: nobody has it.
        """
        user = self.find_by_phone_number(username or "")
        if user is None:
            raise self.model.DoesNotExist
        return user

    async def aget_by_natural_key(self, username: str | None) -> "User":
        """Do what get_by_natural_key() does."""
        return await sync_to_async(self.get_by_natural_key)(username)

    def create_user(self, phone_number: str | None, password: str | None = None, **fields: Any) -> "User":
        """Create a person; without a password they can only chat. No number: someone known by identities alone.

        Raises:
            InvalidPhoneNumber: the number cannot be read.
            DuplicatePhoneNumber: somebody has it already.
            AddressTaken: a channel knows somebody else by it.
            ValueError: there is no such role.
        """
        number = None if phone_number is None else read_number(phone_number)
        flags = role_flags(fields.get("role", Role.USER))
        user: User = self.model(phone_number=number, **{**asdict(flags), **fields})
        user.set_password(password)
        taken = f"Somebody has the phone number {mask(number or '')} already."
        try:
            # Asking first would still race: the unique index decides, of those spellings that it knows.
            with transaction.atomic(using=self._db):
                if number is not None:
                    self._refuse_identity(number)
                    if self.filter(phone_number__in=variants(number)[1:]).exists():
                        raise DuplicatePhoneNumber(taken)
                user.save(force_insert=True, using=self._db)
        except IntegrityError:
            if number is not None and self.filter(phone_number__in=variants(number)).exists():
                raise DuplicatePhoneNumber(taken) from None
            raise
        return user

    def create_superuser(self, phone_number: str, password: str | None = None, **fields: Any) -> "User":
        """Create an owner, who may do everything. Errors are those of create_user()."""
        return self.create_user(phone_number, password, **{**fields, "role": Role.OWNER})

    def update_role(self, user: "User", role: str) -> "User":
        """Give the person a role and the flags that follow from it.

        Raises:
            LastOwner: no owner would be left.
            ValueError: there is no such role.
        """
        role_flags(role)
        with transaction.atomic(using=self._db):
            if role != Role.OWNER:
                keep_an_owner([user.pk])
            user.set_role(role)
            user.save(using=self._db, update_fields=["role", "is_staff", "is_superuser", "password", "updated_at"])
        return user

    def update_whitelist(self, user: "User", allowed: bool) -> "User":
        """Allow the person to talk to the bots, or stop them."""
        self.update_whitelists([user.pk], allowed)
        user.is_whitelisted = allowed
        return user

    def update_whitelists(self, ids: Iterable[int], allowed: bool) -> int:
        """Allow people (their ids) to talk to the bots, or stop them; return how many rows were written."""
        return self.filter(pk__in=list(ids)).update(is_whitelisted=allowed, updated_at=timezone.now())

    def link_identity(self, user: "User", channel: str, address: str) -> Any:
        """Record that channel means this person by address, and return the identity. Again, it changes nothing.

        Raises:
            AddressTaken: the address, or the phone number it is, belongs to somebody else.
        """
        with transaction.atomic(using=self._db):
            if is_e164(address):
                lock_numbers(alone=True, using=self._db)
            owner = self.exclude(pk=user.pk).holder_of(channel, address)
            if owner is None:
                identities = user.identities.model.objects.using(self._db)
                identity, _new = identities.get_or_create(channel=channel, address=address, defaults={"user": user})
                owner = identity.user
        if owner != user:
            raise AddressTaken(f"This {channel} address belongs to somebody else already.")
        return identity

    def _refuse_identity(self, number: str) -> None:
        """Refuse a phone number by which a channel knows somebody. Part of the transaction that writes it."""
        lock_numbers(alone=False, using=self._db)
        if self.filter(identities__address__in=variants(number)).exists():
            raise AddressTaken(f"{mask(number)} is an address of somebody else already.")


def keep_an_owner(leaving: Collection[int]) -> None:
    """Refuse that these people (primary keys) stop being owners when nobody else is one. Part of a transaction.

    All owners are locked: two who remove each other at the same moment would otherwise both find the other one left.

    Raises:
        LastOwner: no owner would be left.
    """
    owners = set(User.objects.select_for_update().filter(role=Role.OWNER).order_by("pk").values_list("pk", flat=True))
    if owners.intersection(leaving) and not owners.difference(leaving):
        raise LastOwner(str(_("This is the last owner. Make somebody else an owner first.")))


def _let_go(leaving: Collection[int]) -> None:
    """Keep an owner, and revoke what these people made for others: whose right it was cannot be told without them."""
    keep_an_owner(leaving)
    invites: Any = apps.get_model("users.Invite")
    invites.objects.filter(created_by__in=leaving).exclude(person=None).revoke(timezone.now())


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
        constraints = NUMBER_CONSTRAINTS

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
            _let_go([self.pk])
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
