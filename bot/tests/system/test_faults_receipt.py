"""200 means committed: web processes killed around the commit, slow neighbours, and the same delivery many times."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from bot.tests.support.factories import whatsapp_body, whatsapp_value
from bot.tests.support.processes import PEOPLE, System, running_system, wait_for
from bot.tests.system.faults.binaries import free_port
from bot.tests.system.faults.driving import (
    FAULTY,
    PATIENCE_SECONDS,
    Delivered,
    down,
    frozen,
    message,
    outbound_id,
    questions,
    sends,
    status,
    statuses_of,
)

pytestmark = [
    pytest.mark.promise(
        "receipt",
        "the web killed before and after each commit, of one delivery and of a group, with and without statuses; "
        "model, channel and worker not answering",
    ),
    pytest.mark.processes,
    pytest.mark.promise("once", "two web processes, the purge in between"),
]

# A provider waits this long for its 200; the stand-ins below never answer.
SOON_SECONDS = 20


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running_system(tmp_path_factory.mktemp("receipt")) as running:
        running.start_web()
        running.start_worker()
        yield running


def count_of(system: System, external_id: str) -> int:
    statement = f"SELECT COUNT(*) FROM bot_inboundmessage WHERE external_id = '{external_id}'"  # noqa: S608
    return int(system.rows(statement)[0][0])


# Point, whether a status comes in the same delivery, and whether the delivery is stored when the process dies there.
WEB_DEATHS = [
    ("before_group_stored", True, False),
    ("before_message_stored", False, False),
    ("after_message_stored", False, True),
    ("after_message_stored", True, False),
    ("before_delivery_committed", True, False),
    pytest.param("after_group_committed", True, True, marks=pytest.mark.smoke),
]


@pytest.mark.parametrize("point, with_status, stored", WEB_DEATHS)
def test_a_web_process_killed_around_the_commit_gave_no_200_and_its_delivery_counts_once(
    system: System, point: str, with_status: bool, stored: bool
) -> None:
    case, person, name = Delivered(system), next(system.people), f"{point} {with_status}"
    case.deliver(message(f"{name} before", person))
    case.wait_for_the_end()
    reply = sends(system, f"{name} before")[0]
    replied = outbound_id(reply)
    late = message(f"{name} late", person)
    statuses = (status("delivered", reply),) if with_status else ()
    body = whatsapp_body(whatsapp_value(messages=[late], statuses=list(statuses)))
    port = free_port()
    victim = system.start_web(port, **FAULTY, PARLEY_CRASH_AT=point)

    assert system.post(body, port=port) == 0

    victim.wait(PATIENCE_SECONDS)
    assert count_of(system, late["id"]) == stored
    assert statuses_of(system, replied) == ["delivered" if stored and with_status else "sent"]
    restarted = system.start_web(port)
    case.deliver(late, statuses=statuses, port=port)
    assert case.wait_for_the_end().answered == list(case.accepted)
    assert count_of(system, late["id"]) == 1
    assert len(questions(system, f"{name} late")) == 1
    assert statuses_of(system, replied) == ["delivered" if with_status else "sent"]
    restarted.terminate()
    assert restarted.wait(PATIENCE_SECONDS) == 0


GROUP = 20
# Point, whether deliveries bring statuses (a transaction) or not (one statement), and whether the group is stored.
GROUP_DEATHS = [
    ("before_group_stored:2", True, False),
    ("after_message_stored:2", True, False),
    ("before_delivery_committed:2", True, False),
    ("after_message_stored:2", False, True),
    ("after_group_committed:2", True, True),
    ("after_group_committed:2", False, True),
]


@pytest.mark.parametrize("point, with_status, stored", GROUP_DEATHS)
def test_a_web_process_killed_around_the_commit_of_a_group_loses_and_doubles_nothing_of_it(
    system: System, point: str, with_status: bool, stored: bool
) -> None:
    case, name, port = Delivered(system), f"{point} {with_status}", free_port()
    group = PEOPLE[-GROUP:]
    case.deliver(message(f"{name} before", group[0]))
    case.wait_for_the_end()
    reply = sends(system, f"{name} before")[0]
    replied = outbound_id(reply)
    statuses = [status("delivered", reply)] if with_status else []
    items = [message(f"{name} {number}", person) for number, person in enumerate(group)]
    bodies = [whatsapp_body(whatsapp_value(messages=[item], statuses=statuses)) for item in items]
    victim = system.start_web(port, **FAULTY, PARLEY_CRASH_AT=point)
    case.deliver(message(f"{name} first", group[0]), statuses=tuple(statuses), port=port)  # it passes, once
    with ThreadPoolExecutor(GROUP) as pool:
        answers = list(pool.map(lambda body: system.post(body, port=port), bodies))
    victim.wait(PATIENCE_SECONDS)

    found = [count_of(system, item["id"]) for item in items]
    taken = [answer == 200 for answer in answers]
    assert set(answers) <= {0, 200}
    assert all(found[number] == 1 for number in range(GROUP) if taken[number]), "200 is committed"
    assert (sum(found) > sum(taken)) == stored
    assert max(found) <= 1
    restarted = system.start_web(port)
    for item, was_taken in zip(items, taken, strict=True):
        case.accepted[item["id"]] = item["text"]["body"]
        if not was_taken:  # as the provider does
            case.deliver(item, statuses=tuple(statuses), port=port)
    assert sorted(case.wait_for_the_end().answered) == sorted(case.accepted)
    assert [count_of(system, item["id"]) for item in items] == [1] * GROUP
    assert statuses_of(system, replied) == ["delivered" if with_status else "sent"]
    restarted.terminate()
    assert restarted.wait(PATIENCE_SECONDS) == 0


def test_a_webhook_is_answered_at_once_whatever_the_worker_the_model_and_the_channel_do(system: System) -> None:
    case, worker = Delivered(system), system.processes[1]
    system.model.script([{"for": "no model", "hang": True}])
    system.whatsapp.script([{"for": "no channel", "hang": True}])
    stuck = next(system.people), next(system.people)
    took: list[float] = []

    def deliver(*texts: str) -> None:
        begun = time.monotonic()
        case.deliver(*(message(text, person) for text, person in zip(texts, stuck, strict=True)))
        took.append(time.monotonic() - begun)

    with frozen(worker):
        deliver("no model", "no channel")
    wait_for(lambda: bool(questions(system, "no model") and sends(system, "no channel")), "both hang", PATIENCE_SECONDS)
    for number in range(5):
        deliver(f"on {number}", f"and on {number}")

    assert max(took) < SOON_SECONDS
    with down(system, "model"), down(system, "whatsapp"):
        pass  # whatever hangs there ends: the call is repeated, the send is uncertain
    verdict = case.wait_for_the_end()
    assert case.texts(verdict.uncertain) == ["no channel"]
    assert len(verdict.answered) == 11


def test_fifty_deliveries_at_once_and_one_seven_days_later_are_one_row_one_model_call_and_one_reply(
    system: System,
) -> None:
    case, person, other = Delivered(system), next(system.people), free_port()
    second = system.start_web(other)
    once = message("only once", person)
    body = whatsapp_body(whatsapp_value(messages=[once]))

    with ThreadPoolExecutor(50) as pool:
        answers = Counter(pool.map(lambda number: system.post(body, port=(system.port, other)[number % 2]), range(50)))

    assert answers == {200: 50}
    case.accepted[once["id"]] = "only once"
    case.wait_for_the_end()
    days = (datetime.now(UTC) - timedelta(days=7, minutes=1)).strftime("%Y-%m-%d %H:%M:%S.%f")
    system.rows(f"UPDATE bot_inboundmessage SET received_at = '{days}' WHERE external_id = '{once['id']}'")  # noqa: S608
    replied = outbound_id(sends(system, "only once")[0])
    system.rows(f"UPDATE bot_outboundmessage SET created_at = '{days}' WHERE id = {replied}")  # noqa: S608
    system.manage("cleanup")
    assert {system.post(body), system.post(body, port=other)} == {200}
    case.deliver(message("something new", person))
    case.wait_for_the_end()
    assert count_of(system, once["id"]) == 1
    assert len(questions(system, "only once")) == 1
    assert len(sends(system, "only once")) == 1
    second.terminate()
    assert second.wait(PATIENCE_SECONDS) == 0
