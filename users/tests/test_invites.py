from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.utils import timezone

from users.invite_codes import ALPHABET, new_code, read_code
from users.invites import KEPT_DAYS, Outcome, create_invite, redeem
from users.models import Identity, Invite, User
from users.roles import Role
from users.tests.factories import IdentityFactory, alice, bob, charlie
from users.tests.together import together

pytestmark = [pytest.mark.database, pytest.mark.django_db, pytest.mark.promise("invites", "50 at once")]

NUMBER = "+491711234567"
CHAT = "700700"


def join(invite, address=NUMBER, *, channel="whatsapp", known=None, name="Dana"):
    assert invite.code, "known to who has made it only"
    return redeem(invite.code, channel, address, known, name)


def uses(invite):
    invite.refresh_from_db()
    return invite.uses


def test_a_code_cannot_be_guessed_and_has_no_letters_that_look_alike():
    codes = {create_invite().code for _ in range(50)}
    assert len(codes) == 50
    assert {len(code) for code in codes} == {12}
    assert len(ALPHABET) ** 12 > 2**50
    assert not set("".join(codes)) & set("01ILOU")


def test_an_invite_is_good_once_for_a_week_if_not_said_otherwise():
    invite = create_invite()
    assert invite.max_uses == 1
    assert timedelta(days=7) - timedelta(minutes=1) < invite.expires_at - timezone.now() <= timedelta(days=7)


@pytest.mark.parametrize("wrong", [{"max_uses": 0}, {"max_uses": 100_001}, {"expires_at": timezone.now()}])
def test_an_invite_that_could_let_nobody_in_is_not_made(wrong):
    with pytest.raises(ValidationError) as caught:
        create_invite(**wrong)
    assert set(caught.value.message_dict) == set(wrong)
    assert not Invite.objects.exists()


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("abcdefghjkmn", "ABCDEFGHJKMN"),
        ("  «ABCD-EFGH-JKMN».  ", "ABCDEFGHJKMN"),
        (": abc2 and thanks", "ABC2"),
        ("ABC\x00é2", "ABC2"),
        ("", ""),
        ("–—…", ""),
        ("A" * 33, ""),
        ("A" * 100_000, ""),
    ],
)
def test_a_code_is_read_however_people_write_it(written, code):
    assert read_code(written) == code


def test_who_has_a_number_becomes_a_person_with_that_number():
    invite = create_invite()
    redemption = join(invite)
    person = User.objects.get()
    assert (redemption.outcome, redemption.person) == (Outcome.JOINED, person)
    assert (person.phone_number, person.name, person.is_whitelisted) == (NUMBER, "Dana", True)
    assert (person.role, person.is_staff, person.is_superuser, person.has_usable_password()) == ("user", *[False] * 3)
    assert not Identity.objects.exists()
    assert (uses(invite), invite.state) == (1, Invite.State.USED_UP)


def test_who_has_no_number_is_known_by_identity_alone():
    assert join(create_invite(), CHAT, channel="telegram").outcome is Outcome.JOINED
    person = User.objects.get()
    assert (person.phone_number, person.is_whitelisted) == (None, True)
    assert User.objects.for_identity("telegram", CHAT) == person


def test_an_invite_of_a_person_gives_them_the_address_and_puts_them_on_the_whitelist():
    person = charlie()
    invite = create_invite(person=person)
    assert join(invite, CHAT, channel="telegram").outcome is Outcome.JOINED
    person.refresh_from_db()
    assert (person.is_whitelisted, person.name) == (True, "Charlie")
    assert User.objects.for_identity("telegram", CHAT) == person
    assert User.objects.count() == 1


def test_who_is_in_uses_nothing_up():
    person = bob(phone_number=NUMBER)
    for invite in (create_invite(), create_invite(person=person)):
        assert join(invite).outcome is Outcome.ALREADY_IN
        assert uses(invite) == 0
    assert redeem("NOSUCHCODE22", "whatsapp", NUMBER, person, "").outcome is Outcome.ALREADY_IN


def test_joining_again_with_the_same_code_counts_no_second_use():
    invite = create_invite(max_uses=5)
    assert [join(invite).outcome for _ in range(3)] == [Outcome.JOINED, Outcome.ALREADY_IN, Outcome.ALREADY_IN]
    assert uses(invite) == 1


@pytest.mark.parametrize("maker", [bob, charlie])
def test_an_invite_of_somebody_else_is_refused_to_who_is_known_already(maker, caplog):
    person = maker(phone_number=NUMBER)
    invite = create_invite(person=charlie())
    assert join(invite).outcome is Outcome.TAKEN
    assert uses(invite) == 0
    assert User.objects.for_identity("whatsapp", NUMBER) == person
    assert "identity_conflict" in caplog.text
    assert NUMBER not in caplog.text


def test_an_open_invite_does_not_bring_back_who_was_taken_off_the_whitelist_but_their_own_does():
    person = charlie(phone_number=NUMBER)
    open_to_all, own = create_invite(), create_invite(person=person)
    assert join(open_to_all).outcome is Outcome.INVALID
    assert not User.objects.get().is_whitelisted
    assert join(own).outcome is Outcome.JOINED
    assert User.objects.get().is_whitelisted
    assert (uses(open_to_all), uses(own)) == (0, 1)


def test_who_is_known_by_another_address_only_is_no_new_person():
    person = charlie(phone_number=None)
    assert join(create_invite(), known=person).outcome is Outcome.INVALID
    assert User.objects.count() == 1


def test_unknown_expired_used_up_and_revoked_are_told_apart_by_nobody():
    expired, used_up, revoked = (create_invite() for _ in range(3))
    Invite.objects.filter(pk=expired.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    join(used_up, "+491700000001")
    Invite.objects.filter(pk=revoked.pk).revoke(timezone.now())
    answers = {join(invite) for invite in (expired, used_up, revoked)} | {
        redeem(new_code(), "whatsapp", NUMBER, None, "")
    }
    assert [(answer.outcome, answer.person) for answer in answers] == [(Outcome.INVALID, None)]
    assert User.objects.count() == 1
    for invite in (expired, used_up, revoked):
        invite.refresh_from_db()
    assert [invite.state.value for invite in (expired, used_up, revoked)] == ["expired", "used up", "revoked"]


def test_an_admin_gives_nobody_the_rights_of_staff_and_an_owner_may():
    owner, admin = alice(), bob(role=Role.ADMIN)
    for person in (owner, admin):
        with pytest.raises(ValidationError) as caught:
            create_invite(person=person, created_by=admin)
        assert set(caught.value.message_dict) == {"person"}
    assert create_invite(person=admin, created_by=owner).pk
    # Made for an ordinary person who was given a role since.
    eve = charlie(name="Eve", phone_number=None)
    invite = create_invite(person=eve, created_by=admin)
    User.objects.update_role(eve, Role.OWNER)
    assert join(invite).outcome is Outcome.INVALID
    assert uses(invite) == 0


@pytest.mark.django_db(transaction=True)
def test_of_fifty_at_once_a_code_lets_in_as_many_as_it_is_good_for():
    invite = create_invite(max_uses=3)
    numbers = [f"+4917000000{number:02}" for number in range(50)]
    results = together(*(lambda number=number: join(invite, number) for number in numbers))
    outcomes = [result.outcome for result in results]
    assert outcomes.count(Outcome.JOINED) == 3
    assert outcomes.count(Outcome.INVALID) == 47
    assert User.objects.whitelisted().count() == User.objects.count() == 3
    assert uses(invite) == 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("channel", "address"), [("whatsapp", NUMBER), ("telegram", CHAT)])
@pytest.mark.parametrize("codes", [1, 8])
def test_the_same_person_many_times_at_once_is_one_person_and_one_use(channel, address, codes):
    invites = [create_invite(max_uses=8) for _ in range(codes)]
    calls = [lambda i=i: join(invites[i % codes], address, channel=channel) for i in range(8)]
    outcomes = [result.outcome for result in together(*calls)]
    assert sorted(outcome.value for outcome in outcomes) == ["already in"] * 7 + ["joined"]
    assert User.objects.count() == 1
    assert sum(uses(invite) for invite in invites) == 1


@pytest.mark.django_db(transaction=True)
def test_an_invite_of_a_person_used_by_two_addresses_at_once_is_used_once():
    invite = create_invite(person=charlie())
    results = together(*(lambda a=a: join(invite, a, channel="telegram") for a in ("1001", "1002")))
    assert sorted(result.outcome.value for result in results) == ["invalid", "joined"]
    assert Identity.objects.count() == 1


def test_an_invite_goes_a_month_after_it_ended():
    now = timezone.now()
    kept = [create_invite(), create_invite(expires_at=now + timedelta(days=400)), create_invite()]
    Invite.objects.filter(pk=kept[2].pk).revoke(now - timedelta(days=29))
    gone = [create_invite(), create_invite(), create_invite(expires_at=now + timedelta(days=400))]
    Invite.objects.filter(pk=gone[0].pk).update(expires_at=now - timedelta(days=31))
    Invite.objects.filter(pk=gone[1].pk).revoke(now - timedelta(days=31))
    with time_machine.travel(now - timedelta(days=31), tick=False):
        join(gone[2])
    ended = Invite.objects.ended_before(now - timedelta(days=KEPT_DAYS))
    assert set(ended) == set(gone)
    ended.delete()
    assert User.objects.count() == 1, "who came in stays in"


def test_an_address_of_somebody_stays_theirs():
    owner = IdentityFactory.create(channel="telegram", address=CHAT).user
    invite = create_invite(person=charlie())
    assert join(invite, CHAT, channel="telegram").outcome is Outcome.TAKEN
    assert User.objects.for_identity("telegram", CHAT) == owner
