"""Drive a running system: deliver messages, wait for their end, and read what its stand-ins were asked."""

import itertools
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bot.dev.standins import StandIn
from bot.tests.support.echoes import echoed_id
from bot.tests.support.factories import whatsapp_body, whatsapp_message, whatsapp_value
from bot.tests.support.processes import System, stand_in, wait_for
from bot.tests.system.faults.ledger import Verdict, judge

# Settings of a process that has crash points and may be in a hurry.
FAULTY = {"DJANGO_SETTINGS_MODULE": "bot.tests.system.faults.settings"}
# Generous: the machine may be busy, and a condition that comes true ends the wait at once.
PATIENCE_SECONDS = 60

_numbers = itertools.count(1)


def message(text: str, number: str, **fields: Any) -> dict[str, Any]:
    """Return a message with an id of its own."""
    return whatsapp_message(text, number, **{"id": f"wamid.in{next(_numbers)}", **fields})


def status(word: str, send: dict[str, Any], wamid: str = "wamid.out") -> dict[str, Any]:
    """Return a delivery status of what a request sent; wamid: where its answer named none."""
    ours = send["body"]["biz_opaque_callback_data"]
    return {"id": send["id"] or wamid, "status": word, "recipient_id": "1", "biz_opaque_callback_data": ours}


def long_text(name: str, parts: int = 3) -> str:
    """Return a line whose echo goes out in so many parts, each starting a new sentence with its own name."""
    return " ".join(f"{name}{number} " + "w" * 4_000 + "." for number in range(1, parts + 1))


@dataclass(slots=True)
class Delivered:
    """What one test delivered and was answered 200 for: external id → text, in the order of sending."""

    system: System
    accepted: dict[str, str] = field(default_factory=dict)

    def deliver(self, *messages: dict[str, Any], statuses: tuple[dict[str, Any], ...] = (), port: int = 0) -> None:
        """Deliver messages in one webhook, which must be answered with 200."""
        value = whatsapp_value(messages=list(messages), statuses=list(statuses))
        assert self.system.post(whatsapp_body(value), port=port or None) == 200
        self.accepted |= {message["id"]: message["text"]["body"] for message in messages}

    def wait_for_the_end(self) -> Verdict:
        """Return the judgement once every message came to its end; what is lost, doubled or out of order fails."""
        wait_for(lambda: not judge(self.system, self.accepted).stuck, "every message's end", PATIENCE_SECONDS)
        verdict = judge(self.system, self.accepted)
        verdict.check()
        return verdict

    def texts(self, external_ids: list[str]) -> list[str]:
        """Return the texts of messages."""
        return [self.accepted[id] for id in external_ids]


def questions(system: System, words: str) -> list[dict[str, Any]]:
    """Return the model's requests whose question (its last message) holds the words."""
    asked = [request for request in system.model.requests() if request["body"]]
    return [request for request in asked if words in request["body"]["messages"][-1]["content"]]


def wait_for_question(system: System, *words: str) -> None:
    """Wait until the model was asked a question with each of these words."""
    for each in words:
        wait_for(lambda: bool(questions(system, each)), f"{each!r} is with the model", PATIENCE_SECONDS)  # noqa: B023


def wait_for_log(system: System, process: "subprocess.Popen[bytes]", words: str) -> None:
    """Wait until a process wrote these words."""
    wait_for(lambda: words in system.log_of(process), f"the process says {words!r}", PATIENCE_SECONDS)


def sends(system: System, words: str) -> list[dict[str, Any]]:
    """Return the requests to send a text that holds the words, oldest first."""
    return [request for request in system.sends_received() if words in request["body"]["text"]["body"]]


def sent_to(system: System, number: str) -> list[dict[str, Any]]:
    """Return the requests to send a text to one person, oldest first."""
    return [request for request in system.sends_received() if request["body"]["to"] == number[1:]]


def outbound_id(send: dict[str, Any]) -> int:
    """Return our own id of what a request was to send."""
    return echoed_id(send["body"])


def statuses_of(system: System, *outbound_ids: int) -> list[str]:
    """Return the delivery statuses of outbound messages, in the order of the ids given."""
    found = dict(system.rows("SELECT id, status FROM bot_outboundmessage"))
    return [found[id] for id in outbound_ids]


def parts_of(system: System, external_id: str) -> list[int]:
    """Return the ids of the parts of the reply to a message, in order."""
    rows = system.rows(
        "SELECT o.id, i.external_id FROM bot_outboundmessage o JOIN bot_inboundmessage i ON i.turn_key = o.turn_key "
        "ORDER BY o.part"
    )
    return [id for id, owner in rows if owner == external_id]


def inbound_of(system: System, external_id: str) -> tuple[str, int, str]:
    """Return state, attempts and error code of an inbound message."""
    statement = f"SELECT state, attempts, error_code FROM bot_inboundmessage WHERE external_id = '{external_id}'"  # noqa: S608
    ((state, attempts, error_code),) = system.rows(statement)
    return state, attempts, error_code


@contextmanager
def down(system: System, kind: str) -> Iterator[None]:
    """Stop a stand-in ("model" or "whatsapp"), and start it again at the same address with its log kept."""
    before: StandIn = getattr(system, kind)
    before.stop()
    try:
        yield
    finally:
        setattr(system, kind, stand_in(kind, system.folder, before.port))


@contextmanager
def frozen(*processes: "subprocess.Popen[Any]") -> Iterator[None]:
    """Stop processes in the middle of whatever they do, and let them go on afterwards."""
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            process.send_signal(signal.SIGCONT)
