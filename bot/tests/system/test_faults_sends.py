"""Sends and answers that fail in every way a network and a provider have, with a real worker and real sockets."""

import itertools
import time
from collections.abc import Iterator
from typing import Any

import pytest

from bot.errors import SENTENCES, ErrorCode
from bot.tests.support.processes import System, running_system, wait_for
from bot.tests.system.faults.driving import (
    FAULTY,
    PATIENCE_SECONDS,
    Delivered,
    down,
    message,
    outbound_id,
    questions,
    sends,
    sent_to,
    status,
    statuses_of,
)

pytestmark = [
    pytest.mark.promise("uncertain", "hang, reset, gateway error, no id"),
    pytest.mark.processes,
    pytest.mark.promise("statuses"),
    pytest.mark.promise("window"),
    pytest.mark.promise("deadline", "nine failures at once"),
]

DEADLINE_SECONDS = 4
# Beyond the deadline, for a machine that is busy with other things.
MARGIN_SECONDS = 30


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running_system(tmp_path_factory.mktemp("sends")) as running:
        running.start_web()
        running.start_worker(**FAULTY, PARLEY_HURRY="send=2", MODEL_DEADLINE_SECONDS=str(DEADLINE_SECONDS))
        yield running


UNKNOWN_ENDS: dict[str, dict[str, Any]] = {
    "the channel hangs": {"hang": True},
    "the connection breaks": {"reset": True},
    "a gateway refuses": {"status": 502, "raw": "Bad Gateway"},
    "no id comes back": {"status": 200, "json": {"messaging_product": "whatsapp"}},
}


def test_a_send_whose_end_is_unknown_is_uncertain_and_never_repeated_until_a_status_resolves_it(
    system: System,
) -> None:
    case, people = Delivered(system), [next(system.people) for _ in UNKNOWN_ENDS]
    system.whatsapp.script([{"for": text, **behaviour} for text, behaviour in UNKNOWN_ENDS.items()])
    case.deliver(*(message(text, person) for text, person in zip(UNKNOWN_ENDS, people, strict=True)))

    assert case.texts(case.wait_for_the_end().uncertain) == list(UNKNOWN_ENDS)

    system.half_a_minute_passes()
    case.deliver(*(message(f"afterwards {number}", person) for number, person in enumerate(people)))
    case.wait_for_the_end()
    requested = [sends(system, text) for text in UNKNOWN_ENDS]
    assert [len(requests) for requests in requested] == [1] * 4
    first = [requests[0] for requests in requested]
    ids = [outbound_id(send) for send in first]
    words = ["sent", "delivered", "read", "uncertain"]
    told = zip(words, first[:3], ids, strict=False)
    case.deliver(statuses=tuple(status(word, send, f"wamid.{id}") for word, send, id in told))
    assert statuses_of(system, *ids) == words
    assert case.texts(case.wait_for_the_end().uncertain) == ["no id comes back"]


def test_a_refused_connection_is_tried_again_and_nothing_is_asked_or_sent_twice(system: System) -> None:
    case = Delivered(system)
    with down(system, "whatsapp"):
        case.deliver(*(message(f"nobody listens {number}", next(system.people)) for number in range(3)))
        refused = "SELECT COUNT(*) FROM bot_outboundmessage WHERE status = 'queued' AND error_code = 'unreachable'"
        wait_for(lambda: system.rows(refused)[0][0] == 3, "all three are refused", PATIENCE_SECONDS)

    assert len(case.wait_for_the_end().answered) == 3
    for text in case.accepted.values():
        assert (len(questions(system, text)), len(sends(system, text))) == (1, 1)


def test_statuses_in_any_order_end_at_the_furthest(system: System) -> None:
    case = Delivered(system)
    orders = [*itertools.permutations(("sent", "delivered", "read")), ("delivered", "failed", "sent")]
    texts = [" ".join(("order", *order)) for order in orders]
    case.deliver(*(message(text, next(system.people)) for text in texts))
    case.wait_for_the_end()
    replies = [sends(system, text)[0] for text in texts]
    ids = [outbound_id(reply) for reply in replies]

    for step in range(3):
        case.deliver(statuses=tuple(status(order[step], reply) for order, reply in zip(orders, replies, strict=True)))

    assert statuses_of(system, *ids) == ["read"] * 6 + ["delivered"]


def test_a_status_that_is_faster_than_our_own_record_of_the_send_is_kept(system: System) -> None:
    case = Delivered(system)
    system.whatsapp.script([{"for": "overtaken", "delay": 1.5}])
    case.deliver(message("overtaken", next(system.people)))
    wait_for(lambda: bool(sends(system, "overtaken")), "the send is on its way", PATIENCE_SECONDS)
    send = sends(system, "overtaken")[0]

    case.deliver(statuses=(status("delivered", send),))

    assert statuses_of(system, outbound_id(send)) == ["delivered"]
    assert len(case.wait_for_the_end().answered) == 1
    row = system.rows(f"SELECT status, external_id FROM bot_outboundmessage WHERE id = {outbound_id(send)}")  # noqa: S608
    assert row == [("delivered", send["id"])]


def test_the_window_is_judged_by_the_providers_clock_at_the_moment_of_sending(system: System) -> None:
    case, day = Delivered(system), 24 * 3600
    now = int(time.time())
    system.model.script([{"for": "closes meanwhile", "delay": 2.5}])
    case.deliver(
        message("closed already", next(system.people), timestamp=str(now - day - 60)),
        message("closes meanwhile", next(system.people), timestamp=str(now - day + 2)),
        message("open for long", next(system.people), timestamp=str(now - day + 600)),
    )

    verdict = case.wait_for_the_end()

    assert case.texts(verdict.expired) == ["closed already", "closes meanwhile"]
    assert case.texts(verdict.answered) == ["open for long"]
    assert not sends(system, "closed already") + sends(system, "closes meanwhile")


MODEL_FAILURES: dict[str, dict[str, Any]] = {
    "it hangs": {"hang": True},
    "it drips": {"drip": 1.0},
    "it is busy now": {"status": 429, "headers": {"Retry-After": "1"}, "json": {"error": {"code": "rate_limit"}}},
    "it is busy for long": {"status": 429, "headers": {"Retry-After": "600"}, "json": {"error": {"code": "x"}}},
    "it breaks": {"status": 500, "json": {"error": {"message": "oops"}}},
    "it talks nonsense": {"raw": "<html>"},
    "it says nothing": {"empty": True},
    "it never stops": {"raw": "x" * 1_000_000},
    "it is cut off": {"reset": True},
}


def test_whatever_the_model_does_the_person_gets_one_friendly_sentence_within_the_deadline(system: System) -> None:
    case, begun = Delivered(system), time.time()
    for text, failure in MODEL_FAILURES.items():
        # Three times what has a status: the SDK may try twice more.
        system.model.script([{"for": text, **failure}] * (1 if "raw" in failure else 3))
    people = {next(system.people): text for text in MODEL_FAILURES}
    case.deliver(*(message(text, person) for person, text in people.items()))

    assert len(case.wait_for_the_end().answered) == len(MODEL_FAILURES)

    for person, text in people.items():
        (send,) = sent_to(system, person)
        assert send["body"]["text"]["body"] == str(SENTENCES[ErrorCode.OPENAI_API_ERROR]), text
        assert send["time"] - begun < DEADLINE_SECONDS + MARGIN_SECONDS, text
