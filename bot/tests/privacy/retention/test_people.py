"""People, how they come in, and what stays of those who are gone: each as long as it is kept."""

import pytest

from bot.operations.purge import purge_expired
from bot.tests.privacy.retention.due import ago
from users.invites import create_invite
from users.models import Invite

pytestmark = [pytest.mark.database, pytest.mark.django_db]


def test_the_purge_takes_ended_invites_too_and_counts_them() -> None:
    create_invite()
    Invite.objects.filter(pk=create_invite().pk).update(expires_at=ago(days=31))
    assert purge_expired(dry_run=True)["invites"] == 1
    assert purge_expired()["invites"] == 1
    assert Invite.objects.count() == 1
