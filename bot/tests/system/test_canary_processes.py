"""G22: nothing personal and no secret leaves the processes in a log line, a task's row, an error report or an answer.

One run, with everything logged (LOG_LEVEL=DEBUG) and production's settings; the tests look at what it left behind.
"""

import base64
import json
import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from bot.tests.support.processes import own_database, running_system
from bot.tests.system.canary.driving import Canaries, production
from bot.tests.system.canary.sentry_server import SentryServer
from bot.tests.system.canary.values import NUMBER, SECRETS, WORDS, leaks

pytestmark = [
    pytest.mark.promise("canaries", "canaries through every path, failures included, at DEBUG"),
    pytest.mark.processes,
]


@pytest.fixture(scope="module")
def canaries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Canaries]:
    folder = tmp_path_factory.mktemp("canary")
    with SentryServer() as sentry, own_database(folder) as url:
        # (A server that trusts this machine takes any password.)
        url = re.sub(r"(?<=://)([^:@/]+):[^@]*@", rf"\1:{SECRETS['database password']}@", url)
        with running_system(folder, url, production(sentry)) as system:
            found = Canaries(system, sentry)
            found.run()
            yield found


def test_no_canary_is_in_any_log_line(canaries: Canaries) -> None:
    for process in canaries.processes:
        for line in canaries.system.log_of(process).splitlines():
            assert leaks(line.encode()) == [], line


def test_no_canary_is_in_any_error_report(canaries: Canaries) -> None:
    for envelope in canaries.sentry.envelopes:
        assert leaks(envelope) == [], envelope.decode()


def test_no_canary_is_in_the_task_tables_and_in_what_commands_print(canaries: Canaries) -> None:
    for printed in canaries.printed:
        assert leaks(printed.encode()) == [], printed
    assert "TaskFailed" in printed


def test_no_canary_is_in_what_webhooks_and_probes_are_answered(canaries: Canaries) -> None:
    assert b'{"status": "ok"}' in canaries.answers
    for answer in canaries.answers:
        assert leaks(answer) == [], answer.decode()


def test_every_line_of_every_process_is_an_event_in_json(canaries: Canaries) -> None:
    for process in canaries.processes:
        lines = [json.loads(line) for line in canaries.system.log_of(process).splitlines()]
        assert len(lines) > 5
        assert all({"time", "level", "logger", "event"} <= line.keys() for line in lines)
    loggers = {line["logger"].partition(".")[0] for line in canaries.lines()}
    assert {"_granian", "bot", "django-q", "some"} <= loggers


@pytest.mark.parametrize(
    "event",
    [
        "message_received", "message_redelivered", "request_answered", "request_crashed", "request_refused",
        "item_quarantined", "request_suspicious_disallowedhost", "turn_started", "turn_decided",
        "model_answered", "reply_stored", "message_sent", "turn_finished", "turn_failed", "turn_crashed",
        "send_refused", "send_uncertain", "delivery_status", "access_refused", "bot_paused", "person_allowed",
        "model_circuit_opened", "rate_limit_store_lost", "task_failed", "minute_task_failed", "worker_started",
        "worker_stopped", "readiness_changed",
        "Task exception was never retrieved",
    ],
)  # fmt: skip
def test_every_path_was_taken(canaries: Canaries, event: str) -> None:
    assert canaries.lines(event), f"no {event}: the run proves nothing about it"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("CONFIGURATION_ERROR", "turn_failed"),
        ("OPENAI_API_ERROR", "turn_failed"),
        ("INTERNAL_ERROR", "turn_crashed"),
        ("INTERNAL_ERROR", "task_failed"),
        ("INTERNAL_ERROR", "request_crashed"),
    ],
)
def test_web_worker_and_scheduler_report_their_failures(canaries: Canaries, code: str, message: str) -> None:
    events = [event for event in canaries.sentry.events() if event["tags"]["code"] == code]
    assert message in {event.get("logentry", {}).get("message", "") for event in events}
    assert {event["environment"] for event in events} == {"production"}


def test_one_failure_is_one_report(canaries: Canaries) -> None:
    crashes = [
        event for event in canaries.sentry.events() if "cannot read" in str(event) or "turn_crashed" in str(event)
    ]
    turns = [
        event["tags"]["turn_id"] for event in crashes if event.get("logentry", {}).get("message") == "turn_crashed"
    ]
    assert len(turns) == len(canaries.lines("turn_crashed"))


def test_what_is_masked_is_masked_for_its_reason(canaries: Canaries) -> None:
    """The nets that the run is to prove have caught something each."""
    logs = "\n".join(json.dumps(line) for line in canaries.lines())
    for mark in (
        "[phone]",
        "[secret]",
        "[address]",
        "[redacted]",
        "[digits]",
        "[text withheld]",
        "[credentials]",
        "[key]",
    ):
        assert mark in logs, mark


@pytest.mark.parametrize("spelled", [str, quote, str.lower, lambda words: base64.b64encode(words.encode()).decode()])
@pytest.mark.parametrize("value", [*WORDS.values(), *SECRETS.values()])
def test_the_search_finds_words_in_any_spelling(value: str, spelled) -> None:
    assert leaks(f'{{"x": "ab{spelled(value)}"}}'.encode())


@pytest.mark.parametrize(
    "spelled",
    [
        NUMBER, NUMBER[1:], "0152 2881 7384", "+49 (152) 2881-7384", quote(NUMBER), "49152/28817384",
        base64.b64encode(NUMBER.encode()).decode(), base64.b64encode(b"x" + NUMBER.encode() + b"y").decode(),
        base64.urlsafe_b64encode(b"\xff\xfe" + NUMBER[1:].encode()).decode(),
    ],
)  # fmt: skip
def test_the_search_finds_a_number_in_any_spelling(spelled: str) -> None:
    assert leaks(f"before {spelled} after".encode())
    assert leaks(b"2026-11-25T22:44:07Z 1234567890 0123456789ab") == []
