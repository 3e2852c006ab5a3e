"""What is erased leaves SQLite's files at once, its write-ahead log included; and that never fails an erasure."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection, transaction

from bot.models import InboundMessage
from bot.operations.purge import purge_expired
from bot.privacy import disk
from bot.privacy.disk import empty_write_ahead_log
from bot.privacy.erasure.erase import erase
from bot.privacy.subjects import subject_of
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import ALICE, InboundFactory, whitelisted
from conversations.models import Conversation
from conversations.tests.factories import add_messages
from users.models import User

TEXT = "Zephyrine said this to nobody else"
pytestmark = pytest.mark.skipif(connection.vendor != "sqlite", reason="a file of SQLite's")


@pytest.fixture
def path(transactional_db: None) -> Path:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        assert cursor.fetchone()[0] == "wal"
        cursor.execute("PRAGMA database_list")
        return next(Path(row[2]) for row in cursor.fetchall() if row[1] == "main")


@pytest.fixture
def person(path: Path, bot: ActiveBot) -> User:
    """Somebody who has said so much that it takes many pages."""
    person = whitelisted(ALICE, name="Alice")
    conversation = Conversation.objects.find_or_create(person, bot.slug)
    add_messages(conversation, [("user", f"{TEXT} {n} " * 50) for n in range(20)])
    InboundFactory.create(bot_id=bot.id, state="dead", payload={"text": TEXT * 200})
    return person


def files_with_text(path: Path) -> list[str]:
    return sorted(one.name for one in path.parent.glob(f"{path.name}*") if TEXT.encode() in one.read_bytes())


def log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def test_erased_text_is_in_no_file_any_more(path: Path, person: User) -> None:
    assert log_of(path).name in files_with_text(path)
    erase(subject_of(person), via="command")
    assert files_with_text(path) == []
    assert log_of(path).stat().st_size == 0


def test_the_farewell_leaves_nothing_in_the_log_either(
    path: Path, alice: User, ask: Callable[..., str], bot: ActiveBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.tests.support.fakes.ScriptedChannel.reads_outbox", False)
    ask(TEXT)
    assert files_with_text(path) != []
    code = ask("/forget").split("/forget ")[1]
    assert "is deleted" in ask(f"/forget {code}")
    assert files_with_text(path) == []
    assert not InboundMessage.objects.exists()


def test_while_somebody_reads_the_erasure_is_done_and_the_purge_empties_the_log(
    path: Path, person: User, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "MOST_WAIT_MS", 1)
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM users_user").fetchall()
        erase(subject_of(person), via="command")
        assert not User.objects.filter(pk=person.pk).exists()
        assert [record.getMessage() for record in caplog.records].count("log_not_emptied") == 1
        assert log_of(path).name in files_with_text(path)
    purge_expired()
    assert files_with_text(path) == []


def test_it_waits_as_long_as_it_did_for_everything_else(path: Path) -> None:
    def waits() -> int:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout")
            return int(cursor.fetchone()[0])

    before = waits()
    assert empty_write_ahead_log()
    assert waits() == before > disk.MOST_WAIT_MS


def test_within_a_transaction_it_is_left_for_later_and_harms_nothing(path: Path, person: User) -> None:
    with transaction.atomic():
        erase(subject_of(person), via="command")
        assert not empty_write_ahead_log()
        assert not User.objects.filter(pk=person.pk).exists()
    # (The erasure's own is done once it is committed.)
    assert files_with_text(path) == []
