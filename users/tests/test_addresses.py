"""A number is one person's, over both tables, also for who creates at the same moment."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from users.addresses import create_person
from users.errors import AddressTaken
from users.models import Identity, User
from users.tests.factories import IdentityFactory, alice, bob, charlie
from users.tests.naming import create
from users.whitelist import allow

pytestmark = [pytest.mark.database, pytest.mark.django_db]

NUMBER, BRAZIL, SHORTER = "+491711234567", "+5531987654321", "+553187654321"


def import_number(number):
    call_command("whitelist", "add", number, stdout=StringIO())


@pytest.mark.parametrize("number", [BRAZIL, SHORTER])
@pytest.mark.parametrize("way", [create, allow, import_number, lambda number: create_person("whatsapp", number)])
def test_an_identity_of_somebody_becomes_nobody_elses_number(way, number):
    holder = alice()
    IdentityFactory.create(user=holder, channel="generic", address=BRAZIL)
    with pytest.raises((AddressTaken, CommandError), match="address of somebody else"):
        way(number)
    assert list(User.objects.all()) == [holder]


@pytest.mark.parametrize("linked", ["generic", "whatsapp"])
def test_a_number_is_linked_to_one_person_only_on_any_channel_and_in_any_spelling(linked):
    holder, other = bob(), charlie()
    User.objects.link_identity(holder, "whatsapp", BRAZIL)
    for number in (BRAZIL, SHORTER):
        with pytest.raises(AddressTaken):
            User.objects.link_identity(other, linked, number)
    assert set(Identity.objects.values_list("user", flat=True)) == {holder.pk}


def test_an_id_that_is_no_number_is_somebody_elses_on_another_channel():
    User.objects.link_identity(bob(), "telegram", "700700")
    other = charlie()
    assert User.objects.link_identity(other, "generic", "700700").user == other
