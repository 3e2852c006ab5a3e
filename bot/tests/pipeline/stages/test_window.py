"""No answer is paid for that could not be sent any more."""

from datetime import timedelta

import pytest
from django.utils import timezone

from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import BOB, event, whitelisted
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, states, statuses, work_until
from users.models import User

pytestmark = [
    pytest.mark.database,
    pytest.mark.usefixtures("turns_db"),
    pytest.mark.promise("window", "no answer is paid for when it has closed already"),
]


def test_no_answer_is_paid_for_whose_window_has_closed_already(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ScriptedChannel, "reply_window", timedelta(hours=24))
    accept.accept(bot, [event("m1", sent_at=timezone.now() - timedelta(hours=24, minutes=1))])
    accept.accept(bot, [event("m2", address=BOB, sent_at=timezone.now() - timedelta(hours=23))])
    whitelisted(BOB)
    work_until(model=model)

    assert [message.address for message in channel.sent] == [BOB]
    assert len(model.history) == 1
    assert statuses() == ["sent"]
    assert states() == [("done", "WINDOW_EXPIRED"), ("done", "")]
