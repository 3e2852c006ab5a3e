"""kill -9 of a worker at every named place: what was accepted is answered once, or we say that we do not know."""

import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from bot.tests.support.processes import System, running_system, wait_for
from bot.tests.system.faults.crashing import WORKER_POINTS
from bot.tests.system.faults.driving import (
    FAULTY,
    PATIENCE_SECONDS,
    Delivered,
    frozen,
    inbound_of,
    long_text,
    message,
    outbound_id,
    parts_of,
    questions,
    sends,
    statuses_of,
    wait_for_log,
    wait_for_question,
)

pytestmark = [
    pytest.mark.promise(
        "kill -9",
        "every crash point, bursts, each part of a long reply, during the heartbeat and while turns are given back",
    ),
    pytest.mark.processes,
    pytest.mark.promise("uncertain"),
    pytest.mark.promise("one turn", "a worker that slept through the end of its lease"),
    pytest.mark.promise("dead letters", "a message that kills its worker eight times, claimed together with another"),
]

POINTS = list(WORKER_POINTS)
STORED_POINTS = POINTS[POINTS.index("after_completion_stored") : POINTS.index("after_renewed")]
UNCERTAIN_POINTS = ("after_completion_stored", "after_sent", "before_settlement_committed")


@dataclass(frozen=True, slots=True)
class Place:
    """A running system and the worker that takes over from each victim; it is frozen except then."""

    system: System
    heir: "subprocess.Popen[bytes]"

    def start_victim(self, point: str, hurry: str = "") -> "subprocess.Popen[bytes]":
        return self.system.start_worker(**FAULTY, PARLEY_CRASH_AT=point, PARLEY_HURRY=hurry)

    def take_over(self) -> None:
        self.system.half_a_minute_passes()
        self.heir.send_signal(signal.SIGCONT)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with running_system(tmp_path_factory.mktemp("crashes")) as running:
        running.start_web()
        heir = running.start_worker()
        first = Delivered(running)
        first.deliver(message("warm up", next(running.people)))
        first.wait_for_the_end()
        yield Place(running, heir)


@pytest.fixture
def place(whole: Place) -> Iterator[Place]:
    with frozen(whole.heir):
        yield whole


def killed(victim: "subprocess.Popen[bytes]") -> bool:
    return victim.wait(PATIENCE_SECONDS) == -signal.SIGKILL


def stored_texts(system: System, external_ids: list[str]) -> dict[str, list[str]]:
    """Return external id → texts of the reply that is stored for it, for those that have one."""
    rows = system.rows(
        "SELECT i.external_id, o.text FROM bot_inboundmessage i JOIN bot_outboundmessage o ON o.turn_key = i.turn_key "
        "ORDER BY o.part"
    )
    return {id: [text for owner, text in rows if owner == id] for id in external_ids if id in dict(rows)}


@pytest.mark.parametrize("point", [point for point in POINTS if point not in ("after_renewed", "before_released")])
def test_a_worker_killed_anywhere_loses_and_doubles_nothing_and_pays_once_for_what_was_stored(
    place: Place, point: str
) -> None:
    system, case = place.system, Delivered(place.system)
    burst, single = next(system.people), next(system.people)
    case.deliver(message(f"{point} one", burst), message(f"{point} two", burst), message(f"{point} three", single))

    assert killed(place.start_victim(point))

    stored = stored_texts(system, list(case.accepted))
    asked = {id: len(questions(system, case.accepted[id])) for id in stored}
    assert bool(stored) == (point in STORED_POINTS)
    place.take_over()
    verdict = case.wait_for_the_end()
    assert {id: len(questions(system, case.accepted[id])) for id in stored} == asked
    for id, texts in stored.items():
        went_out = [send["body"]["text"]["body"] for send in sends(system, case.accepted[id])]
        assert went_out == texts or (id in verdict.uncertain and not went_out)
    assert bool(verdict.uncertain) <= (point in STORED_POINTS)
    assert bool(verdict.uncertain) >= (point in UNCERTAIN_POINTS)


def test_a_worker_killed_after_its_heartbeat_loses_and_doubles_nothing(place: Place) -> None:
    case = Delivered(place.system)
    place.system.model.script([{"for": "long wait", "delay": 3}])
    case.deliver(message("long wait", next(place.system.people)))

    assert killed(place.start_victim("after_renewed", "heartbeat=0.1"))

    place.take_over()
    assert len(case.wait_for_the_end().answered) == 1


def test_a_worker_killed_while_it_gives_its_turns_back_loses_and_doubles_nothing(place: Place) -> None:
    system, case = place.system, Delivered(place.system)
    system.model.script([{"for": "no answer", "hang": True}])
    case.deliver(message("no answer", next(system.people)), message("an answer", next(system.people)))
    victim = place.start_victim("before_released", "drain=0.1")
    wait_for_question(system, "no answer")

    victim.send_signal(signal.SIGTERM)

    assert killed(victim)
    place.take_over()
    case.wait_for_the_end()
    assert len(questions(system, "no answer")) == 2


# What a reply of three parts looks like after the death: the heir then sends the rest, or stops at what is uncertain.
DEATHS = {
    "after_completion_stored:1": ["sending", "queued", "queued"],
    "before_sending_committed:1": ["sent", "queued", "queued"],
    "after_sending_committed:1": ["sent", "sending", "queued"],
    "before_sending_committed:2": ["sent", "sent", "queued"],
    "after_sending_committed:2": ["sent", "sent", "sending"],
    "after_sent:1": ["sending", "queued", "queued"],
    "after_sent:2": ["sent", "sending", "queued"],
    "after_sent:3": ["sent", "sent", "sending"],
    "after_settled:1": ["sent", "queued", "queued"],
    "after_settled:2": ["sent", "sent", "queued"],
    "after_settled:3": ["sent", "sent", "sent"],
}


@pytest.mark.parametrize("point", DEATHS)
def test_a_long_reply_goes_on_with_its_next_part_but_never_past_an_uncertain_one(place: Place, point: str) -> None:
    system, case = place.system, Delivered(place.system)
    text = long_text(point.translate(str.maketrans("", "", "_:")))
    case.deliver(message(text, next(system.people)))

    assert killed(place.start_victim(point))

    parts = parts_of(system, next(iter(case.accepted)))
    before = DEATHS[point]
    assert statuses_of(system, *parts) == before
    place.take_over()
    verdict = case.wait_for_the_end()
    requested = [outbound_id(send) for send in sends(system, "w" * 4_000) if outbound_id(send) in parts]
    reached = before.index("sending") if "sending" in before else None
    if reached is None:
        assert requested == parts
        assert statuses_of(system, *parts) == ["sent"] * 3
    else:
        assert len(verdict.uncertain) == 1
        assert requested == parts[: reached + 1 if "after_sent:" in point else reached]
        assert statuses_of(system, *parts)[: reached + 1] == ["sent"] * reached + ["uncertain"]
    assert len(questions(system, text)) == 1


def test_a_message_that_kills_every_worker_is_a_dead_letter_after_eight_times_and_blocks_nobody(place: Place) -> None:
    system, case = place.system, Delivered(place.system)
    mate, poison = message("mate", next(system.people)), message("poison", next(system.people))
    case.deliver(mate, poison)  # together, so that they are claimed together, and again together after each death
    for attempt in range(1, 9):
        victim = place.start_victim("before_completion:poison")
        assert killed(victim)
        assert inbound_of(system, poison["id"])[:2] == ("pending", attempt)
        case.deliver(message(f"innocent {attempt}", next(system.people)))
        system.half_a_minute_passes()

    survivor = place.start_victim("before_completion:poison")

    verdict = case.wait_for_the_end()
    survivor.terminate()
    assert survivor.wait(PATIENCE_SECONDS) == 0
    assert verdict.dead == [poison["id"]]
    assert mate["id"] in verdict.answered
    # (A worker may die with the answer of an innocent on its way.)
    assert len(verdict.answered) + len(verdict.uncertain) == 1 + 8
    assert inbound_of(system, poison["id"]) == ("dead", 9, "INTERNAL_ERROR")
    assert not questions(system, "poison")


def test_a_worker_that_slept_through_the_end_of_its_lease_neither_writes_nor_sends(place: Place) -> None:
    system, case, text = place.system, Delivered(place.system), "overslept"
    system.model.script([{"for": text, "hang": True}])
    system.whatsapp.script([{"for": text, "delay": 3}])
    case.deliver(message(text, next(system.people)))
    sleeper = system.start_worker(MODEL_DEADLINE_SECONDS="6")
    wait_for_question(system, text)
    with frozen(sleeper):
        place.take_over()
        wait_for(lambda: bool(sends(system, text)), "the heir is sending", PATIENCE_SECONDS)
    wait_for_log(system, sleeper, "lease_lost")

    assert len(case.wait_for_the_end().answered) == 1

    assert [send["body"]["text"]["body"] for send in sends(system, text)] == [f"Echo: {text}"]
    sleeper.terminate()
    assert sleeper.wait(PATIENCE_SECONDS) == 0
