"""When somebody last wrote: noted at the end of their turns, once in a while, and never for what they did not write."""

from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.utils import timezone

from bot.models import InboundMessage
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import ALICE, STRANGER, event, whitelisted
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, work_until
from usage.tests.factories import UsageRecordFactory
from users.models import User
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


def test_the_migration_takes_the_last_call_for_when_people_last_wrote() -> None:
    person, silent, known = UserFactory.create_batch(3)
    for hours in (5, 2, 9):
        UsageRecordFactory.create(user=person, created_at=NOON - timedelta(hours=hours))
    UsageRecordFactory.create(user=known, created_at=NOON - timedelta(days=1))
    User.objects.filter(pk=known.pk).update(last_seen_at=NOON)
    import_module("usage.migrations.0006_spends_of_a_day").note_last_seen(apps, None)
    assert [last_seen(one) for one in (person, silent, known)] == [NOON - timedelta(hours=2), None, NOON]
