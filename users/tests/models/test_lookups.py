"""People are found by a number in any spelling and by their addresses."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from users.models import User
from users.tests.factories import IdentityFactory, UserFactory, bob, charlie

pytestmark = pytest.mark.django_db

GERMAN = "+491711234567"
EQUIVALENT = [
    ("+5531987654321", "+553187654321"),
    ("+5215512345678", "+525512345678"),
    ("+5491123456789", "+541123456789"),
]


@pytest.mark.parametrize("raw", [GERMAN, "49 171 1234567", "+49 (0)171 123-4567", "tel:+491711234567"])
def test_a_person_is_found_by_any_spelling_of_their_number(raw):
    person = bob(phone_number=GERMAN)
    charlie()
    assert User.objects.find_by_phone_number(raw) == person
    assert User.objects.get_by_natural_key(raw) == person


@pytest.mark.parametrize(("stored", "asked"), [*EQUIVALENT, *((b, a) for a, b in EQUIVALENT)])
def test_a_person_is_found_by_an_equivalent_number(stored, asked):
    person = bob(phone_number=stored)
    assert User.objects.find_by_phone_number(asked) == person
    assert User.objects.for_identity("whatsapp", asked) == person
    assert User.objects.for_identities([("whatsapp", asked)]) == {("whatsapp", asked): person}


def test_a_national_number_is_found_with_the_default_region(settings):
    person = bob(phone_number=GERMAN)
    assert User.objects.find_by_phone_number("0171 1234567") is None
    settings.PHONE_DEFAULT_REGION = "DE"
    assert User.objects.find_by_phone_number("0171 1234567") == person


@pytest.mark.parametrize("raw", ["", "Bob", "12", "+15550000000", "\x00", "US.1349"])
def test_an_unreadable_or_unknown_number_is_nobodys(raw):
    bob(phone_number=GERMAN)
    UserFactory.create(phone_number=None)
    assert User.objects.find_by_phone_number(raw) is None
    with pytest.raises(User.DoesNotExist):
        User.objects.get_by_natural_key(raw)


@pytest.mark.parametrize(
    ("channel", "address", "found"),
    [
        ("telegram", "700700", "bob"),
        ("whatsapp", "US.1349", "bob"),
        ("whatsapp", "+491711234567", "charlie"),
        ("twilio", "+491711234567", "charlie"),
        ("whatsapp", "+5531987654321", "bob"),  # linked without the ninth digit
        ("whatsapp", "700700", None),  # the same address on another channel is somebody else's
        ("telegram", "491711234567", None),  # a chat id is no phone number
        ("whatsapp", "+15550000000", None),
        ("", "", None),
    ],
)
def test_a_channels_address_means_one_person(channel, address, found, django_assert_num_queries):
    cast = {"bob": bob(phone_number="+15551234567"), "charlie": charlie(phone_number=GERMAN)}
    IdentityFactory.create(user=cast["bob"], channel="telegram", address="700700")
    IdentityFactory.create(user=cast["bob"], channel="whatsapp", address="US.1349")
    IdentityFactory.create(user=cast["bob"], channel="whatsapp", address="+553187654321")
    expected = cast.get(found)
    with django_assert_num_queries(1):
        assert User.objects.for_identity(channel, address) == expected
    pair = (channel, address)
    assert User.objects.for_identities([pair]) == ({pair: expected} if expected else {})


def test_a_phone_number_counts_before_somebody_elses_identity():
    owner_of_number, linked = charlie(phone_number=GERMAN), bob()
    IdentityFactory.create(user=linked, channel="whatsapp", address=GERMAN)
    assert User.objects.for_identity("whatsapp", GERMAN) == owner_of_number
    assert User.objects.for_identity("twilio", GERMAN) == owner_of_number
    pairs = [("whatsapp", GERMAN), ("twilio", GERMAN)]
    assert User.objects.for_identities(pairs) == dict.fromkeys(pairs, owner_of_number)


def test_a_person_with_several_identities_is_found_by_each(django_assert_max_num_queries):
    people = [bob(), charlie(), UserFactory.create(phone_number=GERMAN)]
    pairs = {}
    for person in people[:2]:
        for channel in ("telegram", "generic"):
            identity = IdentityFactory.create(user=person, channel=channel)
            pairs[channel, identity.address] = person
    pairs["whatsapp", GERMAN] = people[2]
    with django_assert_max_num_queries(2):
        assert User.objects.for_identities([*pairs, ("telegram", "unknown"), ("whatsapp", "+15550000000")]) == pairs


def test_asking_for_nobody_costs_no_query(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert User.objects.for_identities([]) == {}


def test_for_identity_respects_what_was_filtered_before():
    person = charlie(phone_number=GERMAN)
    IdentityFactory.create(user=person, channel="telegram", address="700700")
    allowed = User.objects.whitelisted()
    assert allowed.for_identity("telegram", "700700") is None
    assert allowed.for_identity("whatsapp", GERMAN) is None
    assert allowed.for_identities([("telegram", "700700"), ("whatsapp", GERMAN)]) == {}


def test_looking_up_an_address_reads_indexes_only():
    UserFactory.create_batch(3)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # With three rows it would rather read them all; this shows whether it could do otherwise.
            cursor.execute("SET LOCAL enable_seqscan = off")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            User.objects.for_identity("whatsapp", GERMAN)
        explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
        cursor.execute(f"{explain} {queries[0]['sql']}")
        plan = "\n".join(str(row) for row in cursor.fetchall())
    assert "users_user_phone_number" in plan or "sqlite_autoindex_users_user" in plan
    # (With three rows it is a toss-up which of the two indexes by address is read.)
    by_address = ("users_identity_one_per_address", "users_identity_address", "sqlite_autoindex_users_identity")
    assert any(name in plan for name in by_address)
    assert "Seq Scan" not in plan
    assert "SCAN users" not in plan
