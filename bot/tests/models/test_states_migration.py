"""States that were said between the lines before have a column of their own, also for rows of before."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from bot.models import InboundMessage, Lease, OutboundMessage, PendingRow
from bot.privacy.erasure.farewell import unsent_since
from bot.privacy.erasure.found_rows import find_holdings
from bot.privacy.subjects import subject_of
from bot.tests.support.factories import ALICE, BOB, BotFactory, InboundFactory, whitelisted

BEFORE = ("bot", "0009_bot_reasoning_effort")


@pytest.fixture
def migrated(transactional_db: None) -> Any:
    """Migrate to a state, without one to the newest, and afterwards to the newest."""

    def migrate(*targets: tuple[str, str]) -> Any:
        executor = MigrationExecutor(connection)
        targets = targets or tuple(executor.loader.graph.leaf_nodes("bot"))
        executor.migrate(list(targets))
        return MigrationExecutor(connection).loader.project_state(list(targets)).apps

    yield migrate
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def pending() -> dict[str, PendingRow]:
    """Return what a worker that takes Alice's chats reads of them."""
    now = timezone.now()
    leases = Lease.objects.take(InboundMessage.objects.values_list("bot_id", "address"), "one", now, now)
    rows = InboundMessage.objects.of_leased_chats([lease.id for lease in leases])
    return {row.external_id: row for row in rows}


@pytest.mark.parametrize(
    ("kind", "external_id", "payload", "state", "origin"),
    [
        ("text", "wamid.1", {"text": "Hi"}, "pending", "person"),
        ("notice", "wamid.2", {"text": "a kind of the provider's"}, "pending", "person"),
        ("notice", "notice:1:budget", {"notice": "Used up"}, "pending", "notice"),
        ("notice", "notice:1:budget", {"notice": "Used up"}, "dead", "notice"),
        ("notice", "notice:1:budget", {}, "done", "notice"),
        ("farewell", "farewell:1", {"notice": "Bye", "farewell": True}, "pending", "farewell"),
        ("farewell", "wamid.3", {}, "done", "person"),
        ("address_changed", "wamid.4", {"moves": [["a", "b"]]}, "done", "address_change"),
        ("rejected", "rejected-0123", {"reason": "no id"}, "quarantined", "rejected"),
        ("rejected", "wamid.5", {}, "done", "person"),
    ],
)
def test_rows_of_before_say_where_they_come_from(
    migrated: Any, kind: str, external_id: str, payload: dict[str, Any], state: str, origin: str
) -> None:
    bot = BotFactory.create()
    old = migrated(BEFORE).get_model("bot", "InboundMessage")
    old.objects.create(bot_id=bot.pk, external_id=external_id, address=ALICE, kind=kind, payload=payload, state=state)

    migrated()

    assert InboundMessage.objects.get().origin == origin
    if state == "pending":
        assert pending()[external_id].origin == origin


def test_the_version_before_sends_a_farewell_as_one(migrated: Any) -> None:
    InboundFactory.create(external_id="farewell:1", kind="farewell", origin="farewell", payload={"notice": "Bye"})

    old = migrated(BEFORE).get_model("bot", "InboundMessage")

    assert old.objects.get().payload == {"notice": "Bye", "farewell": True}


CODES = [
    ("uncertain", "UNCERTAIN:timeout", "", "timeout"),
    ("failed", "UNCERTAIN:http_502", "", "http_502"),
    ("delivered", "RESOLVED", "", "RESOLVED"),
    ("uncertain", "INTERNAL_ERROR", "INTERNAL_ERROR", ""),
    ("failed", "CHANNEL_ERROR:131026", "CHANNEL_ERROR:131026", ""),
    ("sent", "", "", ""),
]


@pytest.mark.parametrize(("status", "code", "error_code", "doubt"), CODES)
def test_what_was_uncertain_is_so_before_and_after_and_says_the_same_code(
    migrated: Any, status: str, code: str, error_code: str, doubt: str
) -> None:
    old = migrated(BEFORE).get_model("bot", "OutboundMessage")
    old.objects.create(bot_id=BotFactory.create().pk, address=ALICE, turn_key=1, part=1, status=status, error_code=code)

    migrated()
    row = OutboundMessage.objects.get()
    assert (row.error_code, row.doubt, row.code) == (error_code, doubt, code)

    assert migrated(BEFORE).get_model("bot", "OutboundMessage").objects.get().error_code == code


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("payload", "origin"), [({"notice": "Hi"}, "notice"), ({"notice": "Bye", "farewell": True}, "farewell")]
)
def test_what_the_version_before_writes_while_both_run_is_claimed_as_what_it_is(
    payload: dict[str, Any], origin: str
) -> None:
    InboundFactory.create(external_id="one", payload=payload)
    InboundFactory.create(external_id="two", payload={"text": "Hi"})

    assert {id: row.origin for id, row in pending().items()} == {"one": origin, "two": "person"}


@pytest.mark.django_db
def test_what_the_version_before_writes_while_both_run_is_erased_as_what_it_is() -> None:
    bot = BotFactory.create()
    person = whitelisted(ALICE)
    farewell = InboundFactory.create(bot=bot, external_id="farewell:1", kind="farewell", payload={"notice": "Bye"})
    InboundFactory.create(bot=bot, external_id="farewell:2", kind="text")
    written = InboundFactory.create(bot=bot, address=BOB, state="done")
    moves = {"moves": [[BOB, ALICE]]}
    InboundFactory.create(bot=bot, address=ALICE, kind="address_changed", payload=moves, state="done")

    assert list(unsent_since(timezone.now() + timedelta(hours=1))) == [farewell]
    assert written.pk in find_holdings(subject_of(person)).inbound
