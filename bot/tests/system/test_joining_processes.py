"""kill -9 of a worker between letting somebody in and storing what it tells them."""

import signal
from pathlib import Path

import pytest

from bot.tests.support.factories import whatsapp_body, whatsapp_message, whatsapp_value
from bot.tests.support.processes import running_system, wait_for
from bot.tests.system.faults.driving import FAULTY, PATIENCE_SECONDS

pytestmark = [pytest.mark.promise("invites"), pytest.mark.processes]

NEWCOMER = "+4915770000001"
CODE = "ABCDEFGHJKMN"
SEED = f"""
from users.invite_codes import digest
from users.invites import create_invite
from users.models import Invite
create_invite(max_uses=5)
Invite.objects.update(digest=digest("{CODE}"))
"""


def test_a_worker_killed_after_it_let_somebody_in_leaves_no_one_without_an_answer_and_counts_one_use(
    tmp_path: Path,
) -> None:
    with running_system(tmp_path) as system:
        system.manage("shell", "--verbosity", "0", "--command", SEED)
        system.start_web()
        victim = system.start_worker(**FAULTY, PARLEY_CRASH_AT="after_code_redeemed")
        message = whatsapp_message(f"/join {CODE}", NEWCOMER, id="wamid.join")
        assert system.post(whatsapp_body(whatsapp_value(messages=[message]))) == 200
        assert victim.wait(PATIENCE_SECONDS) == -signal.SIGKILL
        assert system.rows("SELECT uses FROM users_invite") == [(1,)]
        assert system.rows("SELECT id FROM bot_outboundmessage") == []

        system.half_a_minute_passes()
        system.start_worker()
        wait_for(lambda: bool(system.sends()), "the newcomer is told")
        wait_for(lambda: not system.rows("SELECT id FROM bot_inboundmessage WHERE state = 'pending'"), "it is done")

        texts = [send["text"]["body"] for send in system.sends()]
        assert len(texts) == 1
        assert "You are in already" in texts[0]
        assert system.rows("SELECT uses FROM users_invite") == [(1,)]
