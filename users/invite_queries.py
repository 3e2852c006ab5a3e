"""The repository of invites: which are good, which have ended, and the one statement that counts a use."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Case, F, Q, Value, When

from users.invite_codes import digests
from users.permissions import Permission, may
from users.roles import Role

if TYPE_CHECKING:
    from users.models import Invite, User  # noqa: F401 (Invite is named in the queryset's type)


class InviteQuerySet(models.QuerySet["Invite"]):
    """Lookups of invites that chain."""

    def with_code(self, code: str) -> Self:
        """Keep the invite that has this code, under whichever accepted key it was hashed."""
        return self.filter(digest__in=digests(code))

    def visible_to(self, staff: "User | None") -> Self:
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
