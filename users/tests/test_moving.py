import pytest

from users.models import Identity, User
from users.moving import Moved, move_addresses
from users.tests.factories import bob, charlie
from users.tests.together import together

pytestmark = [pytest.mark.database, pytest.mark.django_db]

OLD, NEW = "+491711234567", "+491719876543"
OLD_ID, NEW_ID = "US.13491208655302741918", "US.24817305912873645029"


def move(*pairs):
    return move_addresses("whatsapp", pairs)


def who(address, channel="whatsapp"):
    return User.objects.for_identity(channel, address)


def test_the_number_and_the_ids_of_a_person_move_and_the_old_ones_are_nobodys():
    person = bob(phone_number=OLD)
    for address in (OLD, OLD_ID):
        User.objects.link_identity(person, "whatsapp", address)
    assert move((OLD, NEW), (OLD_ID, NEW_ID)) == (Moved.MOVED, person)
    assert (who(NEW), who(NEW_ID), who(OLD), who(OLD_ID)) == (person, person, None, None)
    person.refresh_from_db()
    assert person.phone_number == NEW
    assert set(Identity.objects.values_list("address", flat=True)) == {NEW_ID}


def test_an_identity_of_another_channel_stays():
    person = bob(phone_number=OLD)
    User.objects.link_identity(person, "telegram", "700700")
    move((OLD, NEW))
    assert who("700700", "telegram") == person


@pytest.mark.parametrize(("stored", "told"), [("+5531987654321", "+553187654321"), ("+553187654321", "+5531987654321")])
def test_the_old_number_goes_however_it_is_written(stored, told):
    person = bob(phone_number=stored)
    User.objects.link_identity(person, "whatsapp", told)
    assert move((told, NEW)) == (Moved.MOVED, person)
    assert (who(stored), who(told), who(NEW)) == (None, None, person)


def test_another_spelling_of_the_same_number_leaves_the_person_known():
    person = bob(phone_number="+5531987654321")
    assert move(("+5531987654321", "+553187654321"))[0] is Moved.MOVED
    assert who("+5531987654321") == who("+553187654321") == person


def test_a_number_to_sign_in_with_that_is_not_the_one_that_changed_stays():
    person = bob(phone_number="+12025550100")
    User.objects.link_identity(person, "whatsapp", OLD)
    move((OLD, NEW))
    person.refresh_from_db()
    assert (person.phone_number, who(NEW), who(OLD)) == ("+12025550100", person, None)


def test_who_had_a_number_only_is_known_by_the_new_id_as_well():
    person = bob(phone_number=OLD)
    move((OLD, NEW), ("", NEW_ID))
    assert who(NEW_ID) == person


def test_who_has_no_number_keeps_none():
    person = bob(phone_number=None)
    User.objects.link_identity(person, "whatsapp", OLD_ID)
    move((OLD_ID, NEW_ID))
    person.refresh_from_db()
    assert (person.phone_number, who(NEW_ID), who(OLD_ID)) == (None, person, None)


@pytest.mark.parametrize("taken_by", ["number", "identity", "other spelling"])
def test_a_new_address_that_is_somebody_elses_means_nobody(taken_by):
    new = "+5531987654321"
    person, other = bob(phone_number=OLD), charlie(phone_number=None)
    User.objects.link_identity(person, "whatsapp", OLD_ID)
    match taken_by:
        case "number":
            User.objects.filter(pk=other.pk).update(phone_number=new)
        case "identity":
            User.objects.link_identity(other, "whatsapp", new)
        case _:
            User.objects.filter(pk=other.pk).update(phone_number="+553187654321")
    assert move((OLD_ID, NEW_ID), (OLD, new))[0] is Moved.CONFLICT
    assert (who(OLD), who(OLD_ID), who(NEW_ID), who(new)) == (None, None, person, None)


def test_old_addresses_of_two_people_mean_nobody_and_the_new_ones_neither():
    bob(phone_number=OLD)
    User.objects.link_identity(charlie(phone_number=None), "whatsapp", OLD_ID)
    assert move((OLD, NEW), (OLD_ID, NEW_ID)) == (Moved.CONFLICT, None)
    assert [who(address) for address in (OLD, OLD_ID, NEW, NEW_ID)] == [None] * 4


def test_an_unknown_address_is_nobodys_before_and_after():
    assert move((OLD, NEW)) == (Moved.UNKNOWN, None)
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_people_cannot_move_to_one_number_at_once():
    people = [bob(phone_number=f"+4917100000{n:02}") for n in range(4)]
    results = together(*(lambda p=p: move((p.phone_number, NEW)) for p in people))
    # Each who comes while somebody has it makes it nobody's; whom the next one is about has it then.
    assert sorted(result[0].value for result in results) == ["conflict", "conflict", "moved", "moved"]
    assert who(NEW) is None
