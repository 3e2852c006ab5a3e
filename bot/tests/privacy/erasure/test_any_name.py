"""G37: erasing anybody, under whatever name, changes no row of any table that is not theirs.

PARLEY_ERASURE_EXAMPLES says how many names are tried.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.models import AccessRequest, Bot, InboundMessage
from bot.privacy.erasure.erase import erase
from bot.privacy.subjects import subject_of
from bot.tests.system.erasure.canaries import GONE, STAYS
from bot.tests.system.erasure.messages import others_tell
from bot.tests.system.erasure.person import make_person
from bot.tests.system.erasure.world import OWNER, PASSWORD, make_world
from usage.models import DailySpend
from users.models import AuditEntry, Tombstone, User

pytestmark = pytest.mark.database

EXAMPLES = int(os.environ.get("PARLEY_ERASURE_EXAMPLES", "50"))
# (table, primary key): its columns.
Rows = dict[tuple[str, Any], tuple[Any, ...]]

WORDS = (
    *("text", "changed", "users", "order", "Ann", "Max", "Eva", "a", "e", "0", " ", "fields", "name", "object"),
    *(
        "_auth_user_id",
        "users.login.backends.RoleBackend",
        "bot.operations.schedules.purge",
        "purge expired data",
        "TaskFailed",
        "args",
    ),
    *("{", "}", '"', "[", "]", ":", '{"changed":', '": "', "null", "true", "payload", "profile_name", "may write"),
    *("%", "_", "%%", "' OR 1=1 --", "'; DROP TABLE users_user; --", "SELECT", "\\", "\\u", "\\\\", ".*", "("),
    *("<b>", "</script>", "&amp;", "&eacute;", "&#39;", "href=", "/allow", "/forget", "/users", "+49", "+", "202"),
    *("Olivia", "Vera", STAYS.word, GONE.word, STAYS.number, STAYS.number[1:], OWNER, "5", "12", "2026", "-", "/"),
    *("🦉", "👩‍👩‍👧", "é", "É", "ß", "İ", "ı", "Ω", "\u200b", "\u202e", "不", "م", "\n", "\t"),
)


def snapshot() -> Rows:
    """Return every row of every model's table. What everybody together has reserved is left out: it sinks rightly."""
    rows: Rows = {}
    for model in apps.get_models(include_auto_created=True):
        if model._meta.proxy:
            continue
        table, key = model._meta.db_table, model._meta.pk.column
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            names = [column[0] for column in cursor.description]
            place = names.index(key)
            for values in cursor.fetchall():
                rows[table, values[place]] = values
            if model is DailySpend:
                _leave_out_reserved(rows, names)
    return rows


def _leave_out_reserved(rows: Rows, names: list[str]) -> None:
    user, reserved = names.index("user_id"), names.index("reserved_micros")
    for key, row in rows.items():
        if key[0] == DailySpend._meta.db_table and row[user] is None:
            rows[key] = (*row[:reserved], None, *row[reserved + 1 :])


def texts_of(rows: Rows) -> Iterator[str]:
    """Yield the texts that stand in rows, JSON and what is signed included."""
    for row in rows.values():
        for value in row:
            if isinstance(value, str) and value:
                yield value


@dataclass(frozen=True)
class Crowd:
    """People of whom there is something in every table, each with the keys of the rows that were made for them."""

    people: dict[int, set[tuple[str, Any]]]
    rows: Rows


@pytest.fixture
def crowd(db: None, client: Client) -> Crowd:
    """Let there be two people of whom others write: one who came before the other, and one who came after."""
    world = make_world()
    # (One bot of each channel: the fewer rows, the more names can be tried.)
    world = replace(world, bots=world.bots[::2])
    Bot.objects.exclude(pk__in=[bot.pk for bot in world.bots]).delete()
    assert client.login(username=OWNER, password=PASSWORD)
    people = {}
    for canaries in (STAYS, GONE):
        others_tell(world, canaries)
        before = snapshot()
        person = make_person(world, canaries, client)
        people[person.pk] = snapshot().keys() - before.keys()
    return Crowd(people, snapshot())


def names(pieces: list[str]) -> st.SearchStrategy[str]:
    """Return any name: words of every day and of every format, parts of what others' rows hold, anything at all."""
    anything = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200)
    part = st.sampled_from(pieces).flatmap(
        lambda text: st.tuples(st.integers(0, len(text) - 1), st.integers(1, 40)).map(
            lambda span: text[span[0] : span[0] + span[1]].replace("\0", "")
        )
    )
    digits = st.from_regex(r"\+?[0-9]{1,15}", fullmatch=True)
    return st.one_of(st.sampled_from(WORDS), part, digits, anything)


def call(person: int, name: str) -> None:
    """Let a person have a name, wherever they could have told it."""
    User.objects.filter(pk=person).update(name=name)
    number = User.objects.get(pk=person).phone_number
    AccessRequest.objects.filter(address=number).update(profile_name=name)
    InboundMessage.objects.filter(address=number, state="pending", kind="text").update(
        payload={"text": name, "profile_name": name}
    )


def assert_only_theirs_changed(theirs: set[tuple[str, Any]], before: Rows, after: Rows) -> None:
    """Compare every row that was not made for them; what is new is a hash, and that it was done."""
    others = {key: row for key, row in before.items() if key not in theirs}
    assert {key: after.get(key) for key in others if after.get(key) != others[key]} == {}
    new = {table for table, _ in after.keys() - before.keys()}
    assert new == {Tombstone._meta.db_table, AuditEntry._meta.db_table}
    kept = [key for key in theirs if key[0] in ("users_user", "users_identity", "bot_lease") and key in after]
    assert kept == []


def test_erasing_anybody_under_any_name_changes_no_row_that_is_not_theirs(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("config.db.batches.SHORTEST_PAUSE", 0)
    pieces = sorted({text for text in texts_of(crowd.rows) if len(text) < 400})
    assert len({table for table, _ in crowd.rows}) > 25

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(sorted(crowd.people)), names(pieces))
    def check(person: int, name: str) -> None:
        with transaction.atomic():
            call(person, name)
            erase(subject_of(User.objects.get(pk=person)), via="command")
            assert_only_theirs_changed(crowd.people[person], crowd.rows, snapshot())
            transaction.set_rollback(True)

    check()
