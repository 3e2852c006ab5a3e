"""Codes of invites are known by keyed hashes alone, and give away nobody's rights but those their makers have."""

import importlib
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from users.invite_codes import digest, digests, new_code
from users.invites import LIFETIME, Outcome, create_invite, redeem, renew_code
from users.models import Invite, User
from users.roles import Role
from users.tests.factories import alice, bob, charlie

pytestmark = [pytest.mark.promise("invite codes"), pytest.mark.database]

NUMBER = "+491711234567"
OTHER = "+491711234568"
BEFORE = ("users", "0006_audit_actions")


def join(code: str, address: str = NUMBER) -> Outcome:
    return redeem(code, "whatsapp", address, None, "Dana").outcome


@pytest.mark.django_db
def test_a_code_is_known_to_who_made_it_and_not_to_the_database() -> None:
    invite = create_invite()
    stored = Invite.objects.get()
    assert len(invite.code) == 12 and stored.code == ""
    assert stored.digest == digest(invite.code) != digest(invite.code.lower())
    assert join(stored.digest[:32].upper()) is join(stored.digest) is Outcome.INVALID
    assert join(invite.code) is Outcome.JOINED


@pytest.mark.django_db
def test_a_code_outlives_a_change_of_key_as_long_as_the_former_key_is_accepted(settings: Any) -> None:
    code, former = create_invite(max_uses=2).code, settings.SECRET_KEY
    settings.SECRET_KEY = "another-key-of-some-length"
    assert join(code) is Outcome.INVALID
    settings.SECRET_KEY_FALLBACKS = ["an-older-key", former]
    assert join(code) is Outcome.JOINED
    newer = create_invite().code
    settings.SECRET_KEY_FALLBACKS = []
    assert (join(code, OTHER), join(newer, OTHER)) == (Outcome.INVALID, Outcome.JOINED)


def test_a_hash_depends_on_the_key_and_on_nothing_that_is_stored(settings: Any) -> None:
    settings.SECRET_KEY_FALLBACKS = ["an-older-key"]
    found = digests("ABCDEFGHJKMN")
    assert len(set(found)) == 2 and found[0] == digest("ABCDEFGHJKMN")
    assert all(len(one) == 64 for one in found)


@pytest.mark.django_db
def test_a_code_is_looked_up_by_one_query_that_holds_hashes_alone(django_assert_num_queries: Any) -> None:
    code = create_invite().code
    with django_assert_num_queries(1) as asked:
        assert Invite.objects.with_code(code).exists()
    (query,) = asked.captured_queries
    assert code not in query["sql"] and digest(code) in query["sql"]


@pytest.mark.django_db
def test_a_new_code_ends_the_old_one_and_keeps_what_was_used() -> None:
    owner = alice()
    old = create_invite(max_uses=2, created_by=owner)
    assert join(old.code) is Outcome.JOINED
    renewed = renew_code(old.pk, owner)
    assert renewed is not None and renewed.code != old.code
    assert join(old.code, OTHER) is Outcome.INVALID
    assert join(renewed.code, OTHER) is Outcome.JOINED
    assert renew_code(old.pk, owner) is None, "it is used up"


@pytest.mark.django_db
@pytest.mark.parametrize("ended", [{"revoked_at": timezone.now()}, {"expires_at": timezone.now()}])
def test_an_invite_that_has_ended_gets_no_new_code(ended: dict[str, Any]) -> None:
    invite = create_invite()
    Invite.objects.update(**ended)
    assert renew_code(invite.pk, alice()) is None
    assert Invite.objects.get().digest == invite.digest


@pytest.mark.django_db
def test_who_makes_the_new_code_answers_for_it_in_the_owners_place() -> None:
    admin, person = bob(role=Role.ADMIN), charlie(phone_number=None)
    invite = create_invite(person=person, created_by=alice())
    renewed = renew_code(invite.pk, admin)
    User.objects.update_role(person, Role.OWNER)
    assert renewed is not None and join(renewed.code) is Outcome.INVALID
    with pytest.raises(PermissionDenied):
        renew_code(invite.pk, admin)
    assert renew_code(invite.pk, alice(name="Another owner")) is not None


@pytest.mark.django_db
@pytest.mark.parametrize("terminal", [False, True])
def test_an_invite_of_staff_is_void_when_its_maker_is_gone_but_not_when_it_is_of_the_terminal(terminal: bool) -> None:
    maker = None if terminal else alice()
    person = charlie()
    invite = create_invite(person=person, created_by=maker)
    User.objects.update_role(person, Role.ADMIN)
    if maker:
        alice(name="Another owner")
        maker.delete()
    assert join(invite.code) is (Outcome.JOINED if terminal else Outcome.INVALID)


@pytest.mark.django_db
@pytest.mark.parametrize("after", [Role.ADMIN, Role.USER])
def test_a_maker_gives_away_what_they_may_today(after: Role) -> None:
    maker, staff, person = alice(), bob(role=Role.ADMIN), charlie(phone_number=None)
    alice(name="Another owner")
    for_staff = create_invite(person=staff, created_by=maker)
    for_person = create_invite(person=person, created_by=maker)
    User.objects.update_role(maker, after)
    assert join(for_staff.code) is Outcome.INVALID
    assert join(for_person.code) is (Outcome.JOINED if after is Role.ADMIN else Outcome.INVALID)


@pytest.mark.django_db
def test_a_code_that_gives_nobody_away_tells_nobody_that_it_is_right() -> None:
    person = charlie(phone_number=None)
    invite = create_invite(person=person, created_by=bob(role=Role.ADMIN))
    User.objects.update_role(person, Role.OWNER)
    charlie(phone_number=NUMBER)
    assert join(invite.code) is join(new_code()) is Outcome.INVALID


@pytest.fixture
def migrated(transactional_db: None) -> Any:
    """Migrate to a state, without one to the newest, and afterwards to the newest."""

    def migrate(*targets: tuple[str, str]) -> Any:
        executor = MigrationExecutor(connection)
        targets = targets or tuple(executor.loader.graph.leaf_nodes("users"))
        executor.migrate(list(targets))
        return MigrationExecutor(connection).loader.project_state(list(targets)).apps.get_model("users", "Invite")

    yield migrate
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def test_codes_of_before_go_on_working_and_are_stored_no_more(migrated: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("users.migrations.0007_invite_digests"), "ROWS_AT_ONCE", 2)
    soon = timezone.now() + LIFETIME
    codes = [new_code() for _ in range(5)]
    old = migrated(BEFORE)
    old.objects.bulk_create(old(code=code, expires_at=soon) for code in [*codes, f"DEMO{codes[0]}"])

    migrated()

    stored = list(Invite.objects.order_by("pk").values_list("digest", "from_command"))
    assert stored[:5] == [(digest(code), False) for code in codes]
    assert stored[5][0].startswith("demo-invite-") and len(stored[5][0]) == 64
    assert join(codes[0]) is Outcome.JOINED


def test_taken_back_every_invite_is_revoked_because_its_code_is_gone(migrated: Any) -> None:
    invites = [create_invite() for _ in range(3)]
    seeded = Invite.objects.create(digest="demo-invite-0123456789abcdef", expires_at=timezone.now() + LIFETIME)

    old = migrated(BEFORE)

    assert not old.objects.filter(revoked_at=None).exists()
    assert set(old.objects.filter(code__startswith="DEMO").values_list("pk", flat=True)) == {seeded.pk}
    migrated()
    assert {invite.state for invite in Invite.objects.all()} == {Invite.State.REVOKED}
    assert join(invites[0].code) is Outcome.INVALID
