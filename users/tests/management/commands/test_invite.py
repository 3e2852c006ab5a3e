"""manage.py invite: make, list and revoke."""

import re
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from users.invites import create_invite
from users.models import Invite
from users.tests.factories import charlie

pytestmark = [pytest.mark.database, pytest.mark.django_db]

NUMBER = "+491711234567"


def invite_command(*arguments):
    out = StringIO()
    call_command("invite", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_makes_lists_and_revokes():
    person = charlie(phone_number=NUMBER)
    said = invite_command("create", "--person", "0049 171 1234567", "--uses", "2", "--days", "3", "--note", "phone")
    invite = Invite.objects.get()
    (code,) = re.findall(r"^/join (\w{12})$", said, re.M)
    assert f"Invite {invite.pk}, good until" in said and "only time that the code is shown" in said
    assert (invite.person, invite.max_uses, invite.note) == (person, 2, "phone")
    assert timedelta(days=2) < invite.expires_at - timezone.now() < timedelta(days=3)
    listed = invite_command("list")
    assert all(word in listed for word in (f"{invite.pk}  open", "0/2", "Charlie", "phone"))
    assert NUMBER not in listed and code not in listed and invite.digest not in listed
    assert "Revoked" in invite_command("revoke", code.lower())
    assert "revoked" in invite_command("list")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["create", "--person", NUMBER], "Nobody has that phone number"),
        (["create", "--uses", "0"], "max_uses"),
        (["create", "--days", "0"], "--days"),
        (["create", "--days", "99999999999"], "--days"),
        (["create", "--note", "x" * 201], "note"),
        (["revoke", "NOSUCHCODE22"], "no such invite"),
        (["revoke", "–"], "no such invite"),
        (["revoke", "1"], "no such invite"),
        (["revoke", "9" * 30], "no such invite"),
    ],
)
def test_the_command_says_what_was_wrong(arguments, complaint):
    with pytest.raises(CommandError, match=complaint):
        invite_command(*arguments)
    assert not Invite.objects.exists()


def test_revoking_twice_is_said():
    invite = create_invite()
    invite_command("revoke", str(invite.pk))
    with pytest.raises(CommandError, match="ended already"):
        invite_command("revoke", invite.code)
