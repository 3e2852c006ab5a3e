"""How long invites are kept after they ended."""

from datetime import timedelta

from django.utils import timezone

from config.db.batches import Progress, delete_in_batches
from users.models import Invite

# For staff to see who came in by which.
INVITE_DAYS = 30


def cleanup_ended_invites(*, dry_run: bool = False, progress: Progress | None = None) -> int:
    """Delete invites that were used up, expired or revoked INVITE_DAYS ago. Safe twice, in parallel."""
    ended = Invite.objects.ended_before(timezone.now() - timedelta(days=INVITE_DAYS))
    return ended.count() if dry_run else delete_in_batches(ended, progress=progress)
