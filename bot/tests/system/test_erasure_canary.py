"""G23: after a person is erased nothing of them is left anywhere, and everything that is not theirs is as it was."""

import base64
import binascii
import gzip
import html
import inspect
import json
import pickle
import zlib
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import quote, quote_plus

import pytest
import redis
from django.conf import settings
from django.contrib import messages
from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.messages.storage import default_storage
from django.contrib.sessions.models import Session
from django.core import signing
from django.core.management import call_command
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.models import Schedule
from django_q.signing import SignedPackage

from bot.channels.events import AddressChanged
from bot.models import AccessRequest
from bot.operations.schedules import ensure_schedules
from bot.privacy.erasure import erase as erasing
from bot.privacy.erasure.erase import erase
from bot.privacy.erasure.steps import STEPS
from bot.privacy.export.document import json_pieces, read, text_pieces
from bot.privacy.subjects import subject_of, subject_of_address, subject_of_number
from bot.queue import accept
from bot.queue.snapshot import find_bot, forget
from bot.tests.support.factories import event
from bot.tests.support.processes import PROJECT
from bot.tests.system.erasure import fields, places
from bot.tests.system.erasure.canaries import GONE, GONE_FROM_MEXICO, STAYS, Canaries
from bot.tests.system.erasure.messages import addresses, make_chats, others_tell
from bot.tests.system.erasure.person import make_person
from bot.tests.system.erasure.places import Found
from bot.tests.system.erasure.staying import all_rows, changed, reserved, sums
from bot.tests.system.erasure.world import OWNER, PASSWORD, World, make_world
from users.models import AuditEntry, User

pytestmark = pytest.mark.database

SQLITE = connection.vendor == "sqlite"


@pytest.fixture
def world(db: None) -> World:
    return make_world()


@pytest.fixture
def owner_client(world: World, client: Client) -> Client:
    assert client.login(username=OWNER, password=PASSWORD)
    return client


@pytest.fixture
def person(world: World, owner_client: Client) -> User:
    return make_person(world, GONE, owner_client)


def left(canaries: Canaries = GONE) -> list[Found]:
    """Return where something of somebody is in the database."""
    search = canaries.search()
    return sorted(places.in_tables(connection, search) | places.in_models(search))


def is_signed_in(key: int) -> bool:
    """Return whether there is a session of somebody's, which holds nothing of them but their id."""
    return str(key) in [row.get_decoded().get(SESSION_KEY) for row in Session.objects.all()]


# --- the search finds what there is ---

FORMS: dict[str, Callable[[str], Any]] = {
    "as it is": str,
    "in capitals": str.upper,
    "as bytes": lambda text: memoryview(text.encode()),
    "in a URL": quote,
    "in a form": quote_plus,
    "in JSON": json.dumps,
    "in JSON in JSON": lambda text: json.dumps([json.dumps({"x": text})]),
    "in a list": lambda text: [{"deeper": text}],
    "in HTML": lambda text: html.escape(text).replace("é", "&eacute;"),
    "in hexadecimal": lambda text: binascii.hexlify(text.encode()).decode(),
    "in base64": lambda text: base64.b64encode(text.encode()).decode(),
    "in base64, one byte further": lambda text: "x" + base64.b64encode(b"x" + text.encode() + b"..").decode(),
    "in base64, two bytes further": lambda text: "xy" + base64.urlsafe_b64encode(b"\xff\xfe" + text.encode()).decode(),
    "pickled": lambda text: pickle.dumps((text,)),
    "pickled as of old": lambda text: pickle.dumps((text,), protocol=0),
    "compressed": lambda text: zlib.compress(text.encode()),
    "in a compressed file": lambda text: gzip.compress(text.encode()),
    "signed": lambda text: signing.dumps([text], key="a key"),
    "signed and compressed": lambda text: signing.dumps([text * 50], key="a key", compress=True),
    "as a task's arguments": lambda text: SignedPackage.dumps({"args": (text,)}, False),
    "as many arguments": lambda text: SignedPackage.dumps({"args": (text * 50,)}, True),
    "in a URL in a pickle in base64 in JSON": lambda text: json.dumps(
        {"x": base64.b64encode(pickle.dumps(quote(text))).decode()}
    ),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["number", "former number", "bsuid", "word"])
def test_a_value_is_found_in_every_form(name: str, form: str) -> None:
    search = GONE.search()
    assert name in search.find(FORMS[form](f"before {search.values[name]} after"))
    assert search.find(FORMS[form](f"before {STAYS.search().values[name]} after")) == set()


@pytest.mark.parametrize("canaries", [GONE, GONE_FROM_MEXICO])
@pytest.mark.parametrize(
    "written",
    [
        lambda one: one.number[1:],
        lambda one: one.other_spelling,
        lambda one: f"0{one.number[3:5]} / {one.number[5:9]}-{one.number[9:]}",
        lambda one: one.wamid(1),
        lambda one: f'"id": "{one.wamid(2, of=one.other_spelling)}"',
    ],
)
def test_a_number_is_found_however_it_is_written(canaries: Canaries, written: Callable[[Canaries], str]) -> None:
    assert "number" in canaries.search().find(f"before {written(canaries)} after")
    assert canaries.search().find("2026-11-25T22:44:07.123456Z 1234567890 0123456789ab 5521 97316") == set()


def test_the_person_is_in_every_column_that_can_hold_something_of_a_person(person: User) -> None:
    found = {(one.place, one.where) for one in places.in_tables(connection, GONE.search())}
    missing = fields.can_hold() - found
    assert not missing, f"put a canary in, or say in fields.CANNOT why there can be none: {missing}"
    assert not found - fields.can_hold(), f"fields.CANNOT says there can be none: {found - fields.can_hold()}"


def test_what_is_said_to_hold_nothing_of_a_person_is_there() -> None:
    known = {(model._meta.label, field.name) for model, field in fields.text_fields()}
    said = {(label, name) for label, names in fields.CANNOT.items() for name in names}
    assert said - known == set()


def test_the_person_has_rows_in_every_table_that_leads_to_people(person: User) -> None:
    paths = fields.paths_to_person()
    assert {"UsageRecord", "Message", "LogEntry", "User_groups"} <= {model.__name__ for model, _ in paths}
    missing = [(model, path) for model, path in paths if not model._base_manager.filter(**{path: person}).exists()]
    assert missing == []


def test_files_and_their_names_are_searched(tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "export.json.gz").write_bytes(gzip.compress(GONE.word.encode()))
    (tmp_path / f"of {GONE.number}.csv").write_bytes(b"")
    (tmp_path / "stand-in.jsonl").write_text(GONE.bsuid)
    found = places.in_files(tmp_path, GONE.search(), leave_out=["stand-in.jsonl"])
    assert {(one.what, one.where) for one in found} == {
        ("word", "media/export.json.gz"),
        ("number", f"of {GONE.number}.csv"),
    }


@pytest.mark.skipif(not settings.REDIS_URL, reason="only with Redis")
def test_every_type_of_redis_is_searched() -> None:
    client = redis.Redis.from_url(str(settings.REDIS_URL))
    types: dict[str, Callable[[str], Any]] = {
        "text": lambda key: client.set(key, GONE.number),
        "hash": lambda key: client.hset(key, GONE.word, "x"),
        "list": lambda key: client.rpush(key, "x", SignedPackage.dumps({"args": (GONE.word,)})),
        "set": lambda key: client.sadd(key, GONE.bsuid),
        "sorted": lambda key: client.zadd(key, {GONE.other_spelling: 1.5}),
        "stream": lambda key: client.xadd(key, {"field": GONE.number}),
        f"key of {GONE.bsuid}": lambda key: client.set(key, "x"),
    }
    keys = [f"erasure canary: {name}" for name in types]
    try:
        for key, write in zip(keys, types.values(), strict=True):
            write(key)
        assert {one.where for one in places.in_redis(str(settings.REDIS_URL), GONE.search())} == set(keys)
    finally:
        client.delete(*keys)
    assert places.in_redis(str(settings.REDIS_URL), GONE.search()) == set()


# --- what an erasure does ---


@pytest.mark.parametrize("canaries", [GONE, GONE_FROM_MEXICO], ids=["Brazil", "Mexico"])
def test_nothing_is_left_of_a_person_and_everything_else_is_as_it_was(
    world: World, owner_client: Client, canaries: Canaries
) -> None:
    make_person(world, STAYS, owner_client)
    of_others = all_rows().keys()
    person = make_person(world, canaries, owner_client)
    before, came_to, key = all_rows(), sums(), person.pk
    erase(subject_of(person), via="command")
    assert left(canaries) == []
    assert not is_signed_in(key)
    after = all_rows()
    assert changed(of_others, before, after) == {}
    assert sums() == came_to
    everybody, held = reserved()
    assert everybody == held
    # What is left of the rows that came with them: what they cost, that they were looked at, that their number changed,
    # and that they are gone; of others' rows two emptied commands that named them and an emptied answer, a note without
    # their number, an invite that they have made, who else is signed in, and the scheduler's tasks.
    new = Counter(table for table, _ in after.keys() - of_others)
    calls, addresses = len(world.bots), new.pop("users_tombstone")
    assert addresses > 3
    assert new == {
        "usage_usagerecord": calls,
        "users_auditentry": 4,
        "users_invite": 2,
        "django_session": 2,
        "bot_inboundmessage": 2,
        "bot_outboundmessage": 1,
        "django_q_task": 1,
        "django_q_ormq": 1,
    }
    paths = fields.paths_to_person()
    assert [(model, path) for model, path in paths if model._base_manager.filter(**{path: key}).exists()] == []
    assert not LogEntry.objects.filter(content_type__model="user", object_id=str(key)).exists()


# What stays although it names somebody who was erased: others' words are others' (docs/privacy.md says so). It goes
# when its own time is over.
OTHERS_WORDS = {
    ("conversations_message", "content"): "what somebody else, or staff, wrote to a bot or was answered by the model",
    ("bot_inboundmessage", "payload"): "somebody else's dead letter; of staff one that is no command",
    ("bot_outboundmessage", "text"): "the model's answer to others; an answer to a command that has the name only",
    ("users_invite", "note"): "a note of somebody else's invite that has the name only",
    ("django_admin_log", "change_message"): "the history of something that is not theirs, such as a bot",
}


def test_what_others_wrote_in_their_own_words_stays_and_nothing_else(world: World, owner_client: Client) -> None:
    others_tell(world, GONE)
    others = all_rows()
    words = {(one.place, one.where) for one in places.in_tables(connection, GONE.search())}
    assert words == OTHERS_WORDS.keys()
    person = make_person(world, GONE, owner_client)
    before = all_rows()
    erase(subject_of(person), via="command")
    assert {(one.place, one.where) for one in places.in_tables(connection, GONE.search())} == words
    assert changed(others, before, all_rows()) == {}
    naming = {key for key, row in all_rows().items() if any(GONE.search().find(value) for value in row.values())}
    assert naming <= others.keys()


@pytest.mark.django_db
def test_no_task_of_ours_is_given_or_returns_anything() -> None:
    """What runs by itself names nobody in django-q's tables: an erasure need not look into them."""
    ensure_schedules()
    for schedule in Schedule.objects.all():
        assert (schedule.args, schedule.kwargs, schedule.hook) == (None, None, None), schedule.name
        task = import_string(schedule.func)
        assert inspect.signature(task).parameters == {}
        assert get_type_hints(task)["return"] is type(None)
    queued = {
        f"{path.name}: {line.strip()}"
        for path in PROJECT.rglob("*.py")
        if not {".venv", "tests"} & set(path.relative_to(PROJECT).parts)
        for line in path.read_text().splitlines()
        if "async_task" in line or "async_iter" in line or "async_chain" in line
    }
    # (*Run now* queues one of them as it is.)
    assert queued == {
        "schedules.py: from django_q.tasks import async_task",
        "schedules.py: async_task(known.func, group=known.name)",
    }


def test_what_staff_are_told_is_in_no_session(world: World, owner_client: Client) -> None:
    request = HttpRequest()
    request.session = owner_client.session
    storage = default_storage(request)
    for _ in range(50):
        storage.add(messages.SUCCESS, GONE.say("was changed") * 5)
    storage.update(HttpResponse())
    request.session.save()
    assert left() == []


def test_nothing_is_left_after_an_erasure_in_the_admin_or_in_the_terminal(person: User, owner_client: Client) -> None:
    def in_the_admin() -> None:
        owner_client.get(f"/admin/users/user/{person.pk}/privacy/")
        confirmed = {"person": person.pk, "confirmation": f"erase person {person.pk}"}
        assert owner_client.post("/admin/users/user/erase/", confirmed).status_code == 302

    def in_the_terminal() -> None:
        call_command("forget", GONE.other_spelling, "--yes", stdout=StringIO())

    for way in (in_the_admin, in_the_terminal):
        with transaction.atomic():
            way()
            assert left() == []
            transaction.set_rollback(True)


def test_what_they_are_given_before_names_them_and_nobody_else(world: World, person: User, client: Client) -> None:
    client.force_login(world.owner)
    make_person(world, STAYS, client)
    for pieces in (json_pieces, text_pieces):
        given = "".join(pieces(read(subject_of(person))))
        assert {"number", "bsuid", "word"} <= GONE.search().find(given)
        assert STAYS.search().find(given) == set()


def test_the_audit_log_says_what_was_done_and_nothing_else(person: User) -> None:
    key = person.pk
    counts = erase(subject_of(person), via="command").counts
    entry = AuditEntry.objects.get(action=AuditEntry.Action.ERASED)
    assert (entry.subject, entry.actor, entry.via) == (key, None, "command")
    assert entry.details == {name: count for name, count in counts.items() if count}
    assert {type(count) for count in entry.details.values()} == {int}
    assert entry.details.keys() <= {step.__name__ for step in STEPS}


def test_erasing_who_only_wrote_leaves_nothing_of_them_either(world: World, owner_client: Client) -> None:
    make_person(world, STAYS, owner_client)
    of_others = all_rows()
    make_chats(world, GONE)
    assert left() != []
    for channel, address in {(bot.channel, address) for bot in world.bots for address in addresses(GONE, bot)}:
        erase(subject_of_address(channel, address), via="admin", actor=world.owner)
    assert left() == []
    assert changed(of_others, of_others, all_rows()) == {}


def test_every_step_is_needed(world: World, person: User, monkeypatch: pytest.MonkeyPatch) -> None:
    needless = []
    for step in STEPS:
        monkeypatch.setattr(erasing, "STEPS", tuple(one for one in STEPS if one is not step))
        with transaction.atomic():
            erase(subject_of(User.objects.get(pk=person.pk)), via="command")
            redeliver(world, GONE)
            needless += [] if left() or is_signed_in(person.pk) else [step.__name__]
            transaction.set_rollback(True)
    assert needless == [], "nothing is left without them: the search is blind for what they take away"


def test_what_is_delivered_late_brings_nothing_back(world: World, person: User) -> None:
    erase(subject_of(person), via="command")
    redeliver(world, GONE)
    assert left() == []


def test_what_was_asked_for_from_a_number_that_changed_goes_with_it(world: World) -> None:
    """The change is known for some days only; the request would be kept for weeks, and be nobody's."""
    User.objects.create_user(GONE.former)
    AccessRequest.objects.create(bot=world.bots[0], address=GONE.former)
    stays = AccessRequest.objects.create(bot=world.bots[0], address=STAYS.number)
    bot = find_bot("whatsapp", world.bots[0].slug)
    assert bot is not None
    accept.accept(bot, [AddressChanged(GONE.wamid("moved"), ((GONE.former, GONE.number),))])
    assert list(AccessRequest.objects.all()) == [stays]


def redeliver(world: World, canaries: Canaries) -> None:
    """Deliver again what they wrote before, to every bot and from every address of theirs."""
    forget()
    for bot in world.bots:
        active = find_bot(bot.channel, bot.slug)
        assert active is not None
        earlier = {"sent_at": timezone.now() - timedelta(hours=2), "text": canaries.say("again")}
        accept.accept(
            active, [event(canaries.wamid(n), address=one, **earlier) for n, one in enumerate(addresses(canaries, bot))]
        )


@pytest.mark.skipif(not SQLITE, reason="a file of SQLite's")
def test_not_even_in_the_free_pages_of_the_file_is_anything_left(transactional_db: None, person: User) -> None:
    search = GONE.search()
    assert {one.what for one in places.in_sqlite_file(connection, search)} == set(search.values)
    erase(subject_of(person), via="command")
    if not places.overwrites_what_it_deletes(connection):
        pytest.skip("this SQLite does not overwrite what it deletes: its file holds it until the pages are used again")
    assert places.in_sqlite_file(connection, search) == set()


def test_a_change_of_number_that_was_refused_makes_nobody_somebody_else(world: World, owner_client: Client) -> None:
    """Meta said that somebody's number is now one that somebody else has: neither number names anybody from then on."""
    other, person = (make_person(world, one, owner_client) for one in (STAYS, GONE))
    bot = find_bot("whatsapp", "whatsapp-1")
    assert bot is not None
    accept.accept(bot, [AddressChanged(GONE.wamid("refused"), ((GONE.number, STAYS.number),))])
    before = all_rows()
    mine = {key for key, row in before.items() if any(GONE.search().find(value) for value in row.values())}
    with transaction.atomic():
        erase(subject_of(User.objects.get(pk=other.pk)), via="command")
        erase(subject_of_number(STAYS.number), via="command")
        assert left(STAYS) == []
        gone = mine - all_rows().keys()
        assert gone == set()
        transaction.set_rollback(True)
    erase(subject_of(User.objects.get(pk=person.pk)), via="command")
    # (What quotes the number is found by the number.)
    erase(subject_of_number(GONE.number), via="command")
    assert left(GONE) == []
