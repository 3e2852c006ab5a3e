"""manage.py log_id: find somebody's lines in the log."""

from collections.abc import Iterator

import pytest
from django.core.management import call_command

from bot.queue import accept
from bot.queue.log_ids import chat_hash
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import (
    STRANGER,
    event,
)
from bot.tests.support.fakes import work_until
from bot.tests.support.log_lines import Lines, logged
from users.models import User


@pytest.fixture
def lines() -> Iterator[Lines]:
    with logged() as read:
        yield read


def test_log_id_finds_the_lines_of_a_person_however_they_are_named(
    alice: User, bot: ActiveBot, lines: Lines, capsys: pytest.CaptureFixture[str]
) -> None:
    User.objects.link_identity(alice, "console", "DE.abc123abc123")
    accept.accept(bot, [event(), event("2", address="DE.abc123abc123")])
    work_until()
    call_command("log_id", "+49 151 1234-5678")
    printed = capsys.readouterr().out
    chats = {line["chat"] for line in lines(event="turn_finished")}
    assert len(chats) == 2
    assert all(f"bot=shop  chat={chat}  person={alice.pk}" in printed for chat in chats)
    assert "1512345678" not in printed

    call_command("log_id", STRANGER)
    assert f"bot=shop  chat={chat_hash('shop', STRANGER)}\n" in capsys.readouterr().out
