"""kill -9 of a worker between the upload of a document and its message: nobody gets it twice, and nobody misses it."""

import json
import signal
from typing import Any

import pytest

from bot.tests.support.factories import whatsapp_body, whatsapp_value
from bot.tests.support.processes import System, running_system, wait_for
from bot.tests.system.faults.driving import FAULTY, PATIENCE_SECONDS, message

pytestmark = pytest.mark.processes

FILES = ["parley-data.txt", "parley-data.json.txt"]


def documents(system: System) -> list[dict[str, Any]]:
    """Return the requests that asked the Cloud API to send a document."""
    return [one for one in system.whatsapp.requests() if (one["body"] or {}).get("type") == "document"]


def uploads(system: System) -> dict[str, dict[str, Any]]:
    """Return media id → what was uploaded, in the order of the uploads."""
    return {one["id"]: one["body"]["file"] for one in system.whatsapp.requests() if one["path"].endswith("/media")}


def outbox(system: System) -> list[tuple[Any, ...]]:
    return system.rows("SELECT filename, status FROM bot_outboundmessage ORDER BY part")


@pytest.mark.parametrize(("which", "uploaded"), [("after_uploaded", 3), ("after_uploaded:2", 3)])
def test_a_worker_killed_between_upload_and_send_repeats_the_upload_only(
    tmp_path: Any, which: str, uploaded: int
) -> None:
    with running_system(tmp_path) as system:
        system.start_web()
        person = next(system.people)
        assert system.post(whatsapp_body(whatsapp_value(messages=[message("/export", person)]))) == 200
        victim = system.start_worker(**FAULTY, PARLEY_CRASH_AT=which)
        assert victim.wait(PATIENCE_SECONDS) == -signal.SIGKILL
        sent_before = len(documents(system))
        assert outbox(system)[1 + sent_before] == (FILES[sent_before], "queued")
        system.half_a_minute_passes()
        system.start_worker()
        wait_for(lambda: [status for _, status in outbox(system)] == ["sent"] * 3, "all is sent", PATIENCE_SECONDS)

        assert len(system.sends()) == 1, "the text goes out once"
        assert [one["body"]["document"]["filename"] for one in documents(system)] == FILES
        assert len(uploads(system)) == uploaded
        sent = [uploads(system)[one["body"]["document"]["id"]] for one in documents(system)]
        assert [file["filename"] for file in sent] == FILES
        assert person in sent[0]["content"]
        assert json.loads(sent[1]["content"])["person"][0]["phone_number"] == person
        assert system.rows("SELECT state, error_code FROM bot_inboundmessage") == [("done", "")]
