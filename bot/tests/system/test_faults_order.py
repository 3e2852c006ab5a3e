"""One turn at a time and in order within a chat, over two workers; and nobody waits for another chat."""

import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.tests.support.processes import System, running_system, wait_for
from bot.tests.system.faults.driving import (
    PATIENCE_SECONDS,
    Delivered,
    down,
    frozen,
    inbound_of,
    long_text,
    message,
    outbound_id,
    questions,
    sends,
    sent_to,
    statuses_of,
    wait_for_question,
)

pytestmark = [pytest.mark.promise("one turn"), pytest.mark.processes, pytest.mark.promise("burst")]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running_system(tmp_path_factory.mktemp("order")) as running:
        running.start_web()
        for _ in range(2):
            # Long: the model hangs below until the others are answered, however busy the machine is.
            running.start_worker(MODEL_DEADLINE_SECONDS="600")
        yield running


def steps_of(system: System, person: str, name: str) -> str:
    """Return what the stand-ins saw of a chat, in order: q for a question to the model, s for a send."""
    seen = [(question["time"], "q") for question in questions(system, name)]
    seen += [(send["time"], "s") for send in sent_to(system, person)]
    return "".join(step for _, step in sorted(seen))


def test_a_chat_has_one_turn_at_a_time_in_the_order_of_its_messages_over_two_workers(system: System) -> None:
    case, rounds = Delivered(system), 4
    people = {f"chat{number}": next(system.people) for number in range(8)}
    asked = [f"{name} round {number}" for name in people for number in range(rounds)]
    system.model.script([{"for": words, "delay": 0.05 * (number % 7)} for number, words in enumerate(asked)])
    for number in range(rounds):
        case.deliver(*(message(f"{name} round {number}", person) for name, person in people.items()))
        wait_for_question(system, f"round {number}")

    assert len(case.wait_for_the_end().answered) == len(people) * rounds
    for name, person in people.items():
        steps = steps_of(system, person, f"{name} round")
        assert steps == "qs" * (len(steps) // 2), name


def test_a_slow_and_a_failing_chat_hold_up_nobody_but_their_own_later_messages(system: System) -> None:
    case = Delivered(system)
    slow, failing = next(system.people), next(system.people)
    text = long_text("failing", parts=2)
    refusal = {"status": 400, "headers": {"Retry-After": "600"}, "json": {"error": {"code": 131056}}}
    system.model.script([{"for": "slow one", "hang": True}])
    system.whatsapp.script([{"for": "failing1", **refusal}])
    first_slow, first_failing = message("slow one", slow), message(text, failing)
    case.deliver(first_slow, first_failing)
    wait_for(lambda: bool(questions(system, "slow one") and sends(system, "failing1")), "both stand", PATIENCE_SECONDS)
    case.deliver(message("slow two", slow), message("failing later", failing))

    case.deliver(*(message(f"not held up {number}", next(system.people)) for number in range(20)))
    wait_for(lambda: len(sends(system, "not held up")) == 20, "all others are answered", PATIENCE_SECONDS)

    assert inbound_of(system, first_slow["id"])[0] == "pending"
    assert inbound_of(system, first_failing["id"])[0] == "pending"
    refused = outbound_id(sends(system, "failing1")[0])
    assert statuses_of(system, refused) == ["queued"]
    pause_ends(system)
    wait_for(lambda: len(sent_to(system, failing)) == 4, "the failing chat is answered", PATIENCE_SECONDS)
    with down(system, "model"):
        pass  # what hangs there breaks, and is asked again
    assert len(case.wait_for_the_end().answered) == 24
    told = [send["body"]["text"]["body"] for send in sent_to(system, failing)]
    assert [words.removeprefix("Echo: ").split()[0] for words in told] == [
        "failing1",
        "failing1",
        "failing2",
        "failing",
    ]


def pause_ends(system: System) -> None:
    """Let every pause between two attempts be over."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    system.rows(f"UPDATE bot_lease SET expires_at = '{now}' WHERE worker = ''")  # noqa: S608


def test_the_next_part_goes_out_only_after_the_one_before_was_accepted(system: System) -> None:
    case, person = Delivered(system), next(system.people)
    text = long_text("accepted")
    system.whatsapp.script([{"for": "w" * 4_000, "delay": 0.6}] * 2)
    case.deliver(message(text, person))

    assert len(case.wait_for_the_end().answered) == 1

    times = [send["time"] for send in sent_to(system, person)]
    assert len(times) == 3
    assert min(times[1] - times[0], times[2] - times[1]) > 0.59


def test_a_burst_while_a_turn_is_running_is_one_further_turn(system: System) -> None:
    case, person = Delivered(system), next(system.people)
    first = message("burst first", person)
    model: subprocess.Popen[Any] = system.model.process
    with frozen(model):
        case.deliver(first)
        wait_for(lambda: inbound_of(system, first["id"])[1] == 1, "the turn is running", PATIENCE_SECONDS)
        for number in range(5):
            case.deliver(message(f"burst {number}", person))
        time.sleep(0.3)  # many polls: none of them may take the busy chat

    assert len(case.wait_for_the_end().answered) == 6

    asked = [question["body"]["messages"][-1]["content"] for question in questions(system, "burst")]
    assert asked == ["burst first", "\n".join(f"burst {number}" for number in range(5))]
    assert [send["body"]["text"]["body"] for send in sends(system, "burst")] == [f"Echo: {text}" for text in asked]
