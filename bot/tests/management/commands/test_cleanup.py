"""manage.py cleanup and its schedule: what is due in every app goes."""

import io
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from bot.models import InboundMessage
from bot.operations.purge import purge_expired
from bot.tests.privacy.retention.due import everything_due, failing
from bot.tests.support.factories import BotFactory
from bot.tests.support.retention_samples import SAMPLES
from conversations.models import Conversation
from usage.models import UsageRecord

pytestmark = [pytest.mark.database, pytest.mark.django_db]

DUE = timedelta(days=1_000)


@pytest.fixture
def bot() -> Any:
    return BotFactory.create(slug="shop")


def test_cleanup_takes_what_is_due_in_every_app_and_says_how_much(bot: Any) -> None:
    everything_due(bot)
    out = StringIO()

    call_command("cleanup", "--dry-run", stdout=out)
    assert InboundMessage.objects.exists()
    call_command("cleanup", stdout=out)

    would, did = out.getvalue().split("Deleted:\n")
    header, *rows = would.splitlines()
    assert header == "Would delete:"
    assert sorted(rows) == [
        f"  {name:<22}{1:>12}" for name in ("conversation messages", "conversations", "inbound", "usage records")
    ]
    assert did.splitlines() == rows
    assert not Conversation.objects.exists()
    assert not UsageRecord.objects.exists()
    assert not InboundMessage.objects.exists()
    assert set(purge_expired().values()) == {0}


@pytest.mark.django_db
def test_the_command_fails_and_says_what_went_and_what_did_not(monkeypatch: pytest.MonkeyPatch) -> None:
    SAMPLES["inbound"](timezone.now() - DUE)
    failing(monkeypatch, "admin_history", "tasks")
    out = io.StringIO()
    with pytest.raises(CommandError, match=r"^Failed: admin history, tasks\. The log says why\.$"):
        call_command("cleanup", stdout=out)
    assert out.getvalue().split() == ["Deleted:", "inbound", "3"]


@pytest.mark.django_db
def test_nothing_due_is_said() -> None:
    out = io.StringIO()
    call_command("cleanup", "--dry-run", stdout=out)
    call_command("cleanup", stdout=out)
    assert out.getvalue() == "Would delete nothing: no time is over.\nDeleted nothing: no time is over.\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.django_db
def test_a_person_at_a_terminal_sees_each_step_as_it_goes_on() -> None:
    for name in ("inbound", "usage_records", "outbound_texts"):
        SAMPLES[name](
            timezone.now() - timedelta(days=500) if name != "outbound_texts" else timezone.now() - timedelta(2)
        )
    terminal, file = Terminal(), io.StringIO()
    call_command("cleanup", "--dry-run", stdout=file)
    assert "\r" not in file.getvalue()
    call_command("cleanup", stdout=terminal)
    seen = terminal.getvalue()
    for line in ("Deleting inbound: 3 of 3", "Deleting usage records: 1 of 1", "Deleting outbound texts: 3 of 3"):
        assert f"\r{line}" in seen
    assert seen.rpartition("\r")[2].split("\n")[0] == "Deleted:"
