"""How people come in, and how channels name them."""

from datetime import datetime
from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from users.invite_codes import digest, digests, new_code
from users.models.person import User
from users.permissions import Permission, may
from users.roles import Role


class InviteQuerySet(models.QuerySet["Invite"]):
    """Lookups of invites that chain, and the one statement that counts a use."""

    def with_code(self, code: str) -> Self:
        """Keep the invite that has this code, under whichever accepted key it was hashed."""
        return self.filter(digest__in=digests(code))

    def visible_to(self, staff: User | None) -> Self:
        """Keep the invites that somebody may make: invites for staff are for who manages staff."""
        if may(staff, Permission.MANAGE_STAFF):
            return self
        if not may(staff, Permission.MANAGE_PEOPLE):
            return self.none()
        return self.filter(Q(person=None) | Q(person__is_staff=False, person__role=Role.USER))

    def usable(self, now: datetime) -> Self:
        """Keep the invites that let somebody in: not used up, not expired, not revoked."""
        return self.filter(uses__lt=F("max_uses"), expires_at__gt=now, revoked_at=None)

    def used_up(self) -> Self:
        """Keep the invites that were used as often as they may be; a revoked one is that first."""
        return self.filter(uses__gte=F("max_uses"), revoked_at=None)

    def expired(self, now: datetime) -> Self:
        """Keep the invites that ended by time alone."""
        return self.filter(uses__lt=F("max_uses"), expires_at__lte=now, revoked_at=None)

    def revoked(self) -> Self:
        """Keep the invites that staff have ended."""
        return self.filter(revoked_at__isnull=False)

    def ended_before(self, cutoff: datetime) -> Self:
        """Keep the invites that were used up, expired or were revoked before cutoff."""
        return self.filter(Q(expires_at__lt=cutoff) | Q(revoked_at__lt=cutoff))

    def count_use(self, now: datetime) -> int:
        """Count a use of those that are usable, and return how many were. The last use ends an invite."""
        last = When(uses__gte=F("max_uses") - 1, then=Value(now))
        return self.usable(now).update(uses=F("uses") + 1, expires_at=Case(last, default=F("expires_at")))

    def revoke(self, now: datetime) -> int:
        """Revoke those that are usable, and return how many were."""
        return self.usable(now).update(revoked_at=now)


class Invite(models.Model):
    """A code that lets whoever sends it in: as this person, or as somebody new. Good so many times, until a time.

    The code itself is not stored: it is known to who makes it, once.
    """

    class State(models.TextChoices):
        """Whether an invite still lets somebody in, and if not, why."""

        OPEN = "open", _("open")
        USED_UP = "used up", _("used up")
        EXPIRED = "expired", _("expired")
        REVOKED = "revoked", _("revoked")

    # Of an instance whose code was just made; empty when it comes from the database.
    code: str = ""

    digest = models.CharField(_("keyed hash of the code"), max_length=64, unique=True, editable=False)
    person = models.ForeignKey(
        User,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="invites",
        verbose_name=_("person"),
        help_text=_("Whose address the sender's becomes. Empty: whoever uses it is somebody new."),
    )
    note = models.CharField(_("note"), max_length=200, blank=True, default="")
    max_uses = models.PositiveIntegerField(
        _("uses allowed"), default=1, validators=[MinValueValidator(1), MaxValueValidator(100_000)]
    )
    uses = models.PositiveIntegerField(_("uses"), default=0, editable=False)
    expires_at = models.DateTimeField(_("expires"), db_index=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)
    created_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    # Tells who needs no right to make it from a maker who is gone: created_by is empty in both cases.
    from_command = models.BooleanField(_("made at the terminal"), default=False, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    objects = InviteQuerySet.as_manager()

    class Meta:
        verbose_name = _("invite")
        verbose_name_plural = _("invites")
        # For the list's filters. Which are open or expired, the index of expires_at says.
        indexes = [
            models.Index(fields=["id"], name="users_invite_used_up", condition=Q(uses__gte=F("max_uses"))),
            models.Index(fields=["id"], name="users_invite_revoked", condition=Q(revoked_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"invite {self.pk}"

    @property
    def state(self) -> State:
        """Return whether it still lets somebody in, and if not, why: the last use ends it, so used up comes first."""
        if self.revoked_at:
            return self.State.REVOKED
        if self.uses >= self.max_uses:
            return self.State.USED_UP
        return self.State.OPEN if self.expires_at > timezone.now() else self.State.EXPIRED

    def set_code(self) -> str:
        """Give the invite a new code and return it; only its hash is saved with the row."""
        self.code = new_code()
        self.digest = digest(self.code)
        return self.code


class Identity(models.Model):
    """How one channel names a person: (channel, address) belongs to one user."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="identities", verbose_name=_("person"))
    channel = models.SlugField(_("channel"), max_length=50, db_index=False)
    address = models.CharField(_("address"), max_length=255)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("identity")
        verbose_name_plural = _("identities")
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "address"],
                name="users_identity_one_per_address",
                violation_error_message=_("This address belongs to somebody already."),
            )
        ]
        # For a search, which knows no channel.
        indexes = [models.Index(fields=["address"], name="users_identity_address")]

    def __str__(self) -> str:
        return f"{self.channel} identity {self.pk}"
