"""kill -9 at every named place: what was accepted is answered once, or we say that we do not know."""

import signal
from collections.abc import Iterator

import pytest

from bot.tests.factories import ALICE, BOB, whatsapp_body, whatsapp_message, whatsapp_value
from bot.tests.faults.crashing import WORKER_POINTS
from bot.tests.faults.ledger import judge
from bot.tests.processes import System, running_system, wait_for

pytestmark = pytest.mark.processes
FAULTY = {"DJANGO_SETTINGS_MODULE": "bot.tests.faults.settings"}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running_system(tmp_path_factory.mktemp("crashes")) as running:
        running.start_web()
        yield running


@pytest.mark.parametrize("point", [name for name in WORKER_POINTS if name not in ("after_renewed", "before_released")])
def test_a_worker_killed_anywhere_loses_and_doubles_nothing(system: System, point: str) -> None:
    accepted = {f"{point}.{n}": f"{point} {n}" for n in range(2)}
    messages = [
        whatsapp_message(text, number, id=id) for (id, text), number in zip(accepted.items(), (ALICE, BOB), strict=True)
    ]
    assert system.post(whatsapp_body(whatsapp_value(messages=messages))) == 200
    victim = system.start_worker(**FAULTY, PARLEY_CRASH_AT=point)
    assert victim.wait(30) == -signal.SIGKILL
    system.half_a_minute_passes()
    worker = system.start_worker()
    wait_for(lambda: not judge(system, accepted).stuck, "every message came to its end")
    judge(system, accepted).check()
    worker.terminate()
    assert worker.wait(20) == 0
