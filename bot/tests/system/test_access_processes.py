"""Who may write changes with the next message, in processes that run on: nothing is restarted."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.tests.support.factories import STRANGER, whatsapp_body, whatsapp_message, whatsapp_value
from bot.tests.support.processes import System, running_system, wait_for

pytestmark = [pytest.mark.promise("access"), pytest.mark.processes]

OLIVIA = "+4915160000000"
OWNER = f"""
from users.models import User
User.objects.create_superuser({OLIVIA!r}, name="Olivia", is_whitelisted=True)
"""


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    with running_system(tmp_path) as running:
        running.manage("shell", "--verbosity", "0", "--command", OWNER)
        running.start_web()
        running.start_worker()
        yield running


def ask(system: System, text: str, number: str = STRANGER) -> None:
    """Write, and wait until a worker has done with it, with an answer or without."""
    body = whatsapp_body(whatsapp_value(messages=[whatsapp_message(text, number, id=f"wamid.{text}")]))
    assert system.post(body) == 200
    wait_for(lambda: system.rows("SELECT 1 FROM bot_inboundmessage WHERE state = 'pending'") == [], f"{text} is done")


def answers(system: System, number: str = STRANGER) -> list[str]:
    return [send["text"]["body"] for send in system.sends() if send["to"] == number[1:]]


def asked(system: System) -> list[str]:
    bodies = [request["body"] for request in system.model.requests() if request["method"] == "POST"]
    return [body["messages"][-1]["content"] for body in bodies]


@pytest.mark.smoke
def test_an_added_persons_next_message_is_answered_and_a_removed_ones_is_not(system: System) -> None:
    ask(system, "one")
    system.manage("whitelist", "add", STRANGER)
    ask(system, "two")
    system.manage("whitelist", "remove", STRANGER)
    ask(system, "three")
    ask(system, f"/allow {STRANGER}", OLIVIA)
    ask(system, "four")
    ask(system, f"/deny {STRANGER}", OLIVIA)
    ask(system, "five")

    assert asked(system) == ["two", "four"]
    # One polite reply a day: none to "three". /allow has settled the request that knew of it.
    refusal = "Hello! I only answer people who were invited. Please ask the owner for access."
    assert answers(system) == [refusal, "Echo: two", "Echo: four", refusal]
