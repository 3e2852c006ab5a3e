"""A worker keeps its chats while it works on them, and knows nothing of one that it lost."""

from typing import Any

import pytest
from django.db import OperationalError
from django.db.models import F

from bot.ai.base import CompletionRequest
from bot.models import Lease, OutboundMessage
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import event
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, in_thread, states, work_until
from bot.worker import claims
from usage.models import UsageRecord
from users.models import User

pytestmark = [
    pytest.mark.database,
    pytest.mark.django_db(transaction=True),
    pytest.mark.promise("one turn"),
    pytest.mark.promise("shutdown"),
]


def test_a_worker_that_lost_its_chat_sends_nothing_but_accounts_for_what_it_asked(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    async def while_another_takes_over(request: CompletionRequest) -> str:
        await in_thread(lambda: Lease.objects.update(worker="another", fence=F("fence") + 1))
        return "too late"

    model.enqueue(while_another_takes_over)
    accept.accept(bot, [event()])
    work_until(lambda: UsageRecord.objects.exists(), model=model)

    assert not channel.sent
    assert not OutboundMessage.objects.exists()
    assert states() == [("pending", "")]
    assert UsageRecord.objects.get().output_tokens == 20


@pytest.mark.parametrize(("failure", "traceback"), [(KeyError("a bug"), True), (OperationalError("away"), False)])
def test_a_claim_that_fails_is_logged_with_a_traceback_unless_the_database_is_away_and_tried_again(
    alice: User,
    bot: ActiveBot,
    channel: ScriptedChannel,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    failure: Exception,
    traceback: bool,
) -> None:
    monkeypatch.setattr("bot.worker.worker.FAILED_POLL_SECONDS", 0.01)
    really, failures = claims.claim, [failure]

    def claim(*args: Any, **kwargs: Any) -> Any:
        if failures:
            raise failures.pop()
        return really(*args, **kwargs)

    monkeypatch.setattr(claims, "claim", claim)
    accept.accept(bot, [event()])
    work_until()

    (line,) = [record for record in caplog.records if record.message == "claim_failed"]
    assert bool(line.exc_info) is traceback
    assert channel.texts == ["Echo: Hello"]
