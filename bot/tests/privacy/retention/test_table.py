"""The table of what is kept leaves nothing out, and the purge does what it says, to the second."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.db import connection, models
from django.db.migrations.recorder import MigrationRecorder

from bot.operations.purge import purge_expired
from bot.privacy.retention.entry import NOBODY, Entry, Step
from bot.privacy.retention.table import SECTIONS, TABLE, steps
from bot.tests.support.retention_samples import SAMPLES, all_rows, seed, texts
from usage.days import day_start
from users.models import User

pytestmark = [pytest.mark.promise("purge"), pytest.mark.database]

STEPS = {step.name: step for step in steps()}


# Fields of these kinds hold no text; whatever else there is has to be declared.
NO_TEXT = (
    *(models.AutoField, models.IntegerField, models.FloatField, models.DecimalField, models.BooleanField),
    *(models.DateField, models.TimeField, models.DurationField, models.ForeignKey),
)


def concrete(model: type[models.Model]) -> type[models.Model]:
    return model._meta.concrete_model or model


def undeclared(entry: Entry) -> set[str]:
    """Return the fields of an entry's model that could hold a text, or name a person, and that it says nothing of."""
    fields = entry.model._meta.concrete_fields
    texts = {field.name for field in fields if not isinstance(field, NO_TEXT)}
    links = {field.name for field in fields if field.is_relation and field.related_model is User}
    return (texts - {*entry.personal, *entry.other}) | (links - set(entry.personal))


def test_the_table_has_every_model_and_each_once() -> None:
    known = [entry.model for entry in TABLE]
    everything = {concrete(model) for model in apps.get_models(include_auto_created=True)}
    assert everything - set(known) == set(), "say in bot/privacy/retention/ what they hold, why and for how long"
    assert set(known) - everything == {MigrationRecorder.Migration}
    assert len(known) == len(set(known))
    assert sum(SECTIONS.values(), ()) == TABLE


@pytest.mark.django_db
def test_the_table_has_every_table_of_the_database() -> None:
    tables = set(connection.introspection.table_names())
    assert tables - {entry.model._meta.db_table for entry in TABLE} == set()


@pytest.mark.parametrize("entry", TABLE, ids=lambda entry: entry.model.__name__)
def test_every_field_that_can_hold_a_text_is_declared_personal_or_not(entry: Entry) -> None:
    assert undeclared(entry) == set(), "declare them in bot/privacy/retention/"
    names = {field.name for field in entry.model._meta.concrete_fields}
    assert {*entry.personal, *entry.other} <= names
    assert set(entry.personal) & set(entry.other) == set()
    assert bool(entry.personal) != entry.rights.startswith(NOBODY) or entry.model._meta.label == "usage.UsageDay"


def test_a_field_that_is_not_declared_is_found() -> None:
    (entry,) = (entry for entry in TABLE if entry.model._meta.label == "bot.AccessRequest")
    assert undeclared(Entry(model=entry.model, holds="", why="", personal=("address",))) == {"profile_name"}
    (entry,) = (entry for entry in TABLE if entry.model._meta.label == "bot.ModelChoice")
    assert undeclared(Entry(model=entry.model, holds="", why="", other=("model", "user"))) == {"user"}


def test_every_step_has_a_name_of_its_own_and_a_sample() -> None:
    names = [step.name for step in steps()]
    assert len(names) == len(set(names))
    assert set(names) == SAMPLES.keys(), "add it to bot/tests/support/retention_samples.py"


def test_reservations_go_before_what_days_have_cost_and_that_before_records() -> None:
    names = list(STEPS)
    assert names.index("reservations") < names.index("daily_spends") < names.index("usage_records")


@pytest.mark.django_db
@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_just_before_its_time_it_stays_and_just_after_it_goes(step: Step, zone: str, settings: Any) -> None:
    settings.TIME_ZONE = zone
    settings.CONVERSATION_TTL_DAYS, settings.USAGE_RETENTION_DAYS = 3, 40
    with time_machine.travel(datetime(2026, 3, 9, 12, tzinfo=UTC), tick=False):
        due_at = day_start(datetime(2026, 3, 10, tzinfo=UTC).date())
        made = SAMPLES[step.name](due_at - step.period.get())
    with time_machine.travel(due_at - timedelta(seconds=1), tick=False):
        assert purge_expired(dry_run=True)[step.name] == 0
        assert purge_expired()[step.name] == 0
        assert [rows.count() for rows in made] == [1] * len(made)
    with time_machine.travel(due_at + timedelta(seconds=1), tick=False):
        would = purge_expired(dry_run=True)
        assert [rows.count() for rows in made] == [1] * len(made)
        assert purge_expired() == would
        assert would[step.name] > 0
        assert [rows.count() for rows in made] == [0] * len(made)
        assert set(purge_expired().values()) == {0}


@pytest.mark.django_db
def test_what_is_due_in_any_table_goes_and_nothing_else() -> None:
    due = seed()
    before, texts_before = set(all_rows()), set(texts())
    counts = purge_expired()
    after = set(all_rows())
    assert before - after == set(due["rows"])
    assert {row.split()[0] for row in after - before} == {"usage.UsageDay", "usage.ClosedDay", "bot.DailyFigures"}
    assert texts_before - set(texts()) == {*due["texts"]}
    assert sum(counts.values()) == len(due["rows"]) + len(due["texts"])
    assert all(counts.values()), "the samples reach every step"
