"""How people come in, and how channels name them."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from users.invite_codes import digest, new_code
from users.invite_queries import InviteQuerySet
from users.models.person import User


class Invite(models.Model):
    """A code that lets whoever sends it in: as this person, or as somebody new. Good so many times, until a time.

    The code itself is not stored: it is known to who makes it, once.
    """

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
        # For the list's filters. (Which are open or expired, the index of expires_at says.)
        indexes = [
            models.Index(fields=["id"], name="users_invite_used_up", condition=Q(uses__gte=F("max_uses"))),
            models.Index(fields=["id"], name="users_invite_revoked", condition=Q(revoked_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"invite {self.pk}"

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
