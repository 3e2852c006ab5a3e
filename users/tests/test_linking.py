"""A number is one person's, over both tables; and who may link an address to whom."""

import pytest
from django.core.exceptions import ValidationError

from users.invites import Outcome, create_invite, redeem
from users.linking import masked, may_link
from users.models import AuditEntry, Role, User
from users.tests.factories import IdentityFactory, UserFactory, alice, bob, charlie

pytestmark = [pytest.mark.database, pytest.mark.django_db]

NUMBER, BRAZIL, SHORTER = "+491711234567", "+5531987654321", "+553187654321"


def nothing():
    return charlie(phone_number=None)


def with_identity():
    return IdentityFactory.create(user=nothing()).user


def with_contact():
    from django.utils import timezone

    return charlie(phone_number=None, last_seen_at=timezone.now())


@pytest.mark.parametrize(
    ("person", "by_admin"),
    [
        (lambda: None, True),
        (nothing, True),
        (charlie, False),
        (with_identity, False),
        (with_contact, False),
        (lambda: UserFactory.create(role=Role.ADMIN), False),
    ],
)
def test_admins_link_to_those_only_of_whom_nothing_is_held(person, by_admin):
    whom = person()
    admin, owner = bob(role=Role.ADMIN), alice()
    assert may_link(admin, whom) is by_admin
    assert may_link(owner, whom) is may_link(None, whom) is True
    if not by_admin:
        with pytest.raises(ValidationError):
            create_invite(person=whom, created_by=admin)


def test_an_admins_invite_ends_with_the_first_contact_and_an_owners_does_not():
    dana, eve = nothing(), nothing()
    admins, owners = (
        create_invite(person=dana, created_by=bob(role=Role.ADMIN), max_uses=5),
        create_invite(person=eve, created_by=alice(), max_uses=5),
    )
    assert redeem(admins.code, "telegram", "1", None, "").outcome is Outcome.JOINED
    assert redeem(admins.code, "telegram", "2", None, "").outcome is Outcome.INVALID
    assert redeem(owners.code, "telegram", "3", None, "").outcome is Outcome.JOINED
    assert redeem(owners.code, "telegram", "4", None, "").outcome is Outcome.JOINED


def test_an_owner_who_is_none_any_more_links_nobody_by_the_invites_they_made():
    owner, dana = alice(), charlie()
    alice()
    invite = create_invite(person=dana, created_by=owner)
    User.objects.update_role(owner, Role.ADMIN)
    assert redeem(invite.code, "telegram", "1", None, "").outcome is Outcome.INVALID


def test_the_invites_for_people_of_who_is_deleted_end():
    admin = bob(role=Role.ADMIN)
    dana = nothing()
    invite, open_one = create_invite(person=dana, created_by=admin), create_invite(created_by=admin)
    User.objects.link_identity(dana, "telegram", "1")
    admin.delete()
    assert redeem(invite.code, "telegram", "2", None, "").outcome is Outcome.INVALID
    assert redeem(open_one.code, "telegram", "3", None, "").outcome is Outcome.JOINED


def test_a_link_by_an_invite_is_noted_with_the_invite_and_its_maker():
    owner, dana = alice(), charlie()
    invite = create_invite(person=dana, created_by=owner)
    assert redeem(invite.code, "telegram", "700700123", None, "").linked
    entry = AuditEntry.objects.get(action=AuditEntry.Action.LINKED)
    assert (entry.action, entry.subject, entry.actor, entry.via) == ("linked", dana.pk, None, "chat")
    assert entry.details == {"channel": "telegram", "to": "700…23", "invite": invite.pk, "by": owner.pk}


@pytest.mark.parametrize(("address", "shown"), [(NUMBER, "+49…67"), ("US.134912", "US.…12"), ("7007", "…"), ("", "…")])
def test_an_address_is_masked(address, shown):
    assert masked(address) == shown
