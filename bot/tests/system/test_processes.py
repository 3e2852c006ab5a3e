"""The whole job with real processes: granian, runworker, and stand-ins that log every request."""

import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.tests.support.echoes import echoed_id
from bot.tests.support.factories import (
    ALICE,
    BOB,
    PHONE_NUMBER_ID,
    STRANGER,
    whatsapp_body,
    whatsapp_message,
    whatsapp_value,
)
from bot.tests.support.processes import System, running_system, wait_for

pytestmark = pytest.mark.processes


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    with running_system(tmp_path) as running:
        yield running


def batch() -> bytes:
    """Return several entries with messages of two people and a stranger, and statuses."""
    return whatsapp_body(
        whatsapp_value(
            messages=[whatsapp_message("one", id="wamid.1"), whatsapp_message("two", id="wamid.2")],
            statuses=[{"id": "wamid.unknown", "status": "delivered", "recipient_id": "1"}],
        ),
        whatsapp_value(messages=[whatsapp_message("three", BOB, id="wamid.3")]),
        whatsapp_value(messages=[whatsapp_message("let me in", STRANGER, id="wamid.4")]),
    )


@pytest.mark.smoke
def test_a_signed_batch_is_answered_once_by_two_workers_and_a_forged_one_not_at_all(system: System) -> None:
    system.model.script([{"delay": 1}] * 3)
    system.start_web()
    system.start_worker()
    system.start_worker()

    assert system.post(batch(), "sha256=" + "0" * 64) == 403
    assert system.post(batch()) == 200
    wait_for(lambda: len(system.sends()) >= 3, "three chats are answered")
    assert system.post(batch()) == 200
    assert system.post(whatsapp_body(whatsapp_value(messages=[whatsapp_message("four", BOB, id="wamid.5")]))) == 200
    wait_for(lambda: len(system.sends()) >= 4, "the message after the redelivery is answered")

    sends = system.sends()
    texts = {(send["to"], send["text"]["body"]) for send in sends}
    assert {
        (ALICE[1:], "Echo: one\ntwo"),
        (BOB[1:], "Echo: three"),
        (BOB[1:], "Echo: four"),
        (STRANGER[1:], "Hello! I only answer people who were invited. Please ask the owner for access."),
    } == texts
    assert len(sends) == 4
    assert len([request for request in system.model.requests() if request["method"] == "POST"]) == 3
    first = sends[0]
    assert first["messaging_product"] == "whatsapp"
    assert first["recipient_type"] == "individual"
    assert echoed_id(first) > 0
    paths = {request["path"] for request in system.whatsapp.requests()}
    assert paths == {f"/v26.0/{PHONE_NUMBER_ID}/messages"}
    read = [request["body"] for request in system.whatsapp.requests() if request["body"].get("status") == "read"]
    assert {body["message_id"] for body in read} == {"wamid.2", "wamid.3", "wamid.5"}, "no receipt for a stranger"


@pytest.mark.smoke
def test_a_worker_told_to_stop_finishes_its_turns_and_exits_with_0(system: System) -> None:
    system.model.script([{"delay": 1.5}])
    system.start_web()
    worker = system.start_worker()
    assert system.post(whatsapp_body(whatsapp_value(messages=[whatsapp_message()]))) == 200
    wait_for(lambda: bool(system.model.requests()), "the model is asked")

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(20) == 0
    assert [send["text"]["body"] for send in system.sends()] == ["Echo: Hello"]
    leases = system.manage("shell", "--verbosity", "0", "--command", LEASES)
    assert leases.strip() == "0 0"


LEASES = """
from bot.models import InboundMessage, Lease
print(Lease.objects.exclude(worker="").count(), InboundMessage.objects.filter(state="pending").count())
"""


HALF_A_MINUTE_PASSES = """
from bot.models import Lease
from django.utils import timezone
Lease.objects.update(expires_at=timezone.now())
"""


@pytest.mark.smoke
def test_every_message_is_answered_once_although_a_worker_is_killed(system: System) -> None:
    system.start_web()
    victim = system.start_worker()
    system.model.script([{"delay": 5}] * 10)
    numbers = [f"+49151200000{number:02}" for number in range(10)]
    people = f"from users.models import User\nfor n in {numbers!r}: User.objects.create_user(n, is_whitelisted=True)"
    system.manage("shell", "--verbosity", "0", "--command", people)
    messages = [whatsapp_message(f"to {number}", number, id=f"wamid.{number}") for number in numbers]
    assert system.post(whatsapp_body(whatsapp_value(messages=messages))) == 200
    wait_for(lambda: len(system.model.requests()) == 10, "all ten are with the model")

    victim.kill()
    victim.wait()
    system.manage("shell", "--verbosity", "0", "--command", HALF_A_MINUTE_PASSES)
    system.start_worker()

    wait_for(lambda: len(system.sends()) >= 10, "all ten are answered", seconds=60)
    assert Counter(send["to"] for send in system.sends()) == {number[1:]: 1 for number in numbers}
