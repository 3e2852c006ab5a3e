"""What becomes of invites when their maker goes."""

import pytest

from users.invites import create_invite
from users.models import Invite, User
from users.tests.factories import alice, bob, charlie

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("leave", [lambda one: one.delete(), lambda one: User.objects.filter(pk=one.pk).delete()])
def test_who_goes_leaves_no_invite_for_somebody_that_is_good(leave):
    maker, person = alice(), charlie(phone_number=None)
    alice(phone_number="+491711234599")
    for_person, for_anybody = create_invite(person=person, created_by=maker), create_invite(created_by=maker)
    of_another = create_invite(person=person, created_by=bob(role="owner"))
    leave(maker)
    states = {invite.pk: invite.state for invite in Invite.objects.all()}
    assert states == {
        for_person.pk: Invite.State.REVOKED,
        for_anybody.pk: Invite.State.OPEN,
        of_another.pk: Invite.State.OPEN,
    }
