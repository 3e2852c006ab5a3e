"""When somebody last wrote: noted at the end of their turns, once in a while, and never for what they did not write."""

from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bot.models import InboundMessage
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import ALICE, STRANGER, event, whitelisted
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, work_until
from usage.tests.factories import UsageRecordFactory
from users.models import User
from users.seen import STEP, is_due, note_seen
from users.tests.factories import UserFactory, charlie

pytestmark = [pytest.mark.database, pytest.mark.usefixtures("turns_db")]
NOON = datetime(2026, 3, 11, 12, 0, tzinfo=UTC)


def last_seen(person: User) -> datetime | None:
    return User.objects.values_list("last_seen_at", flat=True).get(pk=person.pk)


def test_who_is_answered_was_seen_when_their_message_came(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    changed = alice.updated_at
    accept.accept(bot, [event()])
    work_until(model=model)
    assert last_seen(alice) == InboundMessage.objects.get().received_at
    alice.refresh_from_db()
    assert alice.updated_at == changed, "nobody has changed them"


def test_a_command_and_a_refusal_count_as_well(bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel) -> None:
    person, blocked = whitelisted(ALICE), charlie(phone_number=STRANGER)
    accept.accept(bot, [event("m1", text="/help"), event("m2", address=STRANGER)])
    work_until(model=model)
    assert last_seen(person)
    assert last_seen(blocked)


def test_what_the_system_tells_somebody_is_nothing_they_wrote(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    accept.accept(bot, [event()])
    InboundMessage.objects.update(payload={"notice": "A bot was paused."}, origin="notice")
    work_until(model=model)
    assert channel.texts == ["A bot was paused."]
    assert last_seen(alice) is None


def test_the_next_message_writes_nothing_to_the_person(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    seen = timezone.now() - timedelta(seconds=1)
    User.objects.filter(pk=alice.pk).update(last_seen_at=seen)
    accept.accept(bot, [event()])
    work_until(model=model)
    assert channel.texts == ["Echo: Hello"]
    # (On the stroke of midnight it would be another day's.)
    if timezone.localdate(seen) == timezone.localdate():
        assert last_seen(alice) == seen


@pytest.mark.parametrize(
    ("last", "due"),
    [
        (None, True),
        (NOON - STEP, True),
        (NOON - STEP + timedelta(seconds=1), False),
        (NOON + timedelta(hours=1), False),
    ],
)
def test_somebody_is_noted_again_after_a_while(last: datetime | None, due: bool) -> None:
    assert is_due(last, NOON) is due


def test_somebody_is_noted_on_each_day_they_write_so_that_a_day_misses_nobody() -> None:
    midnight = timezone.localtime(NOON).replace(hour=0, minute=0)
    assert is_due(midnight - timedelta(minutes=1), midnight + timedelta(minutes=1))


def test_many_are_noted_in_one_statement_each_with_their_time_and_nobody_in_none() -> None:
    people = UserFactory.create_batch(3)
    times = {person.pk: NOON + timedelta(minutes=number) for number, person in enumerate(people[:2])}
    with CaptureQueriesContext(connection) as captured:
        note_seen(times)
        note_seen({})
    assert sum("UPDATE" in query["sql"] for query in captured) == 1
    assert [last_seen(person) for person in people] == [NOON, NOON + timedelta(minutes=1), None]


def test_who_is_gone_is_nobody_to_note() -> None:
    note_seen({10**9: NOON})
    assert not User.objects.exists()


def test_the_migration_takes_the_last_call_for_when_people_last_wrote() -> None:
    person, silent, known = UserFactory.create_batch(3)
    for hours in (5, 2, 9):
        UsageRecordFactory.create(user=person, created_at=NOON - timedelta(hours=hours))
    UsageRecordFactory.create(user=known, created_at=NOON - timedelta(days=1))
    User.objects.filter(pk=known.pk).update(last_seen_at=NOON)
    import_module("usage.migrations.0006_spends_of_a_day").note_last_seen(apps, None)
    assert [last_seen(one) for one in (person, silent, known)] == [NOON - timedelta(hours=2), None, NOON]
