"""/forget in a chat: asked, confirmed, done, said goodbye to; and the same from the terminal."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from django.utils import timezone

from bot.channels.console import ConsoleChannel
from bot.channels.registry import CHANNELS
from bot.channels.sending import SendError
from bot.models import AccessRequest, InboundMessage, Lease, OutboundMessage
from bot.pipeline.commands import forget as command
from bot.privacy.erasure.erase import erase
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.simulator.queries import read_news
from bot.tests.support.factories import ALICE, BOB, STRANGER, BotFactory, InboundFactory, event, whitelisted
from bot.tests.support.fakes import ScriptedChannel, in_thread, states, work_until
from conversations.models import Message
from usage.models import UsageRecord
from users.models import AuditEntry, Tombstone, User
from users.roles import Role

pytestmark = pytest.mark.database

GOODBYE = "Done: everything I held about you is deleted. If you write to me again, you are new to me. Goodbye!"
ID = "DE.13491208655302741918"


class Phone(ScriptedChannel):
    """A channel that people read on their phones, not in the outbox."""

    reads_outbox: ClassVar[bool] = False


@pytest.fixture
def channel(monkeypatch: pytest.MonkeyPatch) -> ScriptedChannel:
    phone = Phone()
    monkeypatch.setitem(CHANNELS, "console", phone)
    return phone


@pytest.fixture
def ask(alice: User, ask: Callable[..., str]) -> Callable[..., str]:
    """Ask as Alice, who is known."""
    return ask


def left() -> list[int]:
    return [model.objects.count() for model in (InboundMessage, OutboundMessage, Lease, AccessRequest, User)]


def code_in(text: str) -> str:
    found = re.search(r"/forget (\d{4})$", text)
    assert found, text
    return found[1]


def test_it_is_asked_confirmed_and_done(ask: Callable[..., str], caplog: pytest.LogCaptureFixture) -> None:
    ask("Hello")
    asked = ask("/forget")
    assert User.objects.count() == 1
    assert Message.objects.count() == 2
    assert ask(f"/forget {code_in(asked)}") == GOODBYE
    assert left() == [0, 0, 0, 0, 0]
    assert not Message.objects.exists()
    assert set(UsageRecord.objects.values_list("user", flat=True)) == {None}
    assert AuditEntry.objects.get().via == "chat"
    # (The turn that says goodbye goes on; it is not begun again as after a crash.)
    assert "lease_lost" not in caplog.text


@pytest.mark.parametrize("code", ["0", "yes", "99999", "١٢٣٤", "-1"])
def test_a_wrong_code_deletes_nothing_and_says_the_right_one(code: str, ask: Callable[..., str]) -> None:
    ask("/forget")
    answer = ask(f"/forget {code}")
    assert answer.startswith("This is not the right code, or it is too old. Nothing was deleted.")
    assert User.objects.count() == 1
    assert ask(f"/forget {code_in(answer)}") == GOODBYE


def test_a_code_is_good_for_its_time_and_for_its_chat(ask: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    whitelisted(BOB)
    moment = 1_800_000_000.0
    monkeypatch.setattr("bot.pipeline.commands.forget.time.time", lambda: moment)
    code = code_in(ask("/forget"))
    assert code != code_in(ask("/forget", sender=BOB))
    assert GOODBYE not in ask(f"/forget {code}", sender=BOB)
    moment += 2 * command.CODE_SECONDS
    assert GOODBYE not in ask(f"/forget {code}")
    moment -= command.CODE_SECONDS
    assert ask(f"/forget {code}") == GOODBYE


def test_the_last_owner_is_told_why_not(ask: Callable[..., str], alice: User) -> None:
    User.objects.update_role(alice, Role.OWNER)
    code = code_in(ask("/forget"))
    assert ask(f"/forget {code}") == "This is the last owner. Make somebody else an owner first."
    assert User.objects.count() == 1
    assert (InboundMessage.objects.count(), OutboundMessage.objects.count()) == (2, 2)


def test_a_second_name_in_the_message_that_confirms_goes_as_well(ask: Callable[..., str], bot: ActiveBot) -> None:
    code = code_in(ask("/forget"))
    accept.accept(bot, [event("yes", text=f"/forget {code}", other_address=ID)])
    work_until()
    assert left() == [0, 0, 0, 0, 0]
    assert Tombstone.objects.erased([("console", ID)])


def test_other_chats_of_the_person_go_too(ask: Callable[..., str], bot: ActiveBot, alice: User) -> None:
    other = BotFactory.active(slug="other")
    accept.accept(other, [event("elsewhere")])
    work_until()
    code = code_in(ask("/forget"))
    assert ask(f"/forget {code}") == GOODBYE
    assert left() == [0, 0, 0, 0, 0]


def test_a_farewell_that_is_not_accepted_at_once_is_sent_later_and_then_nothing_is_left(
    ask: Callable[..., str], channel: ScriptedChannel, bot: ActiveBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.worker.delivery.backoff", lambda attempts: timedelta(0))
    code = code_in(ask("/forget"))
    channel.enqueue(SendError("429", retryable=True))
    sent = timezone.now()
    accept.accept(bot, [event("yes", text=f"/forget {code}", sent_at=sent)])
    work_until()
    assert channel.texts[-2:] == [GOODBYE, GOODBYE]
    assert left() == [0, 0, 0, 0, 0]


@pytest.mark.parametrize("error", [SendError("131026"), SendError("timeout", uncertain=True)])
def test_a_farewell_that_does_not_arrive_leaves_nothing_either(
    error: SendError, ask: Callable[..., str], channel: ScriptedChannel
) -> None:
    code = code_in(ask("/forget"))
    channel.enqueue(error)
    assert ask(f"/forget {code}") == GOODBYE
    assert left() == [0, 0, 0, 0, 0]


def test_a_worker_that_dies_after_the_erasure_leaves_the_farewell_to_another(
    ask: Callable[..., str], bot: ActiveBot, channel: ScriptedChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = code_in(ask("/forget"))

    def dies(*arguments: Any, **options: Any) -> None:
        erase(*arguments, **options)
        raise RuntimeError("killed")

    monkeypatch.setattr("bot.pipeline.commands.forget.erase", dies)
    monkeypatch.setattr("bot.worker.answering.backoff", lambda attempts: timedelta(0))
    accept.accept(bot, [event("yes", text=f"/forget {code}", sent_at=timezone.now())])
    work_until()
    assert channel.texts[-1] == GOODBYE
    assert channel.texts.count(GOODBYE) == 1
    assert left() == [0, 0, 0, 0, 0]


def test_while_the_farewell_waits_it_names_nobody(
    ask: Callable[..., str], bot: ActiveBot, channel: ScriptedChannel
) -> None:
    code = code_in(ask("/forget"))
    seen: list[dict[str, Any]] = []

    async def look(message: Any) -> None:
        seen.extend(await in_thread(lambda: list(InboundMessage.objects.values("origin", "external_id", "payload"))))

    channel.enqueue(look)
    accept.accept(bot, [event("wamid.x", text=f"/forget {code}", profile_name="Alice")])
    work_until()
    assert [row["origin"] for row in seen] == ["farewell"]
    assert seen[0]["external_id"].startswith("farewell:")
    assert seen[0]["payload"] == {"notice": GOODBYE}


def test_a_webhook_cannot_make_a_message_a_farewell(alice: User, bot: ActiveBot) -> None:
    accept.accept(bot, [event("m1", kind="farewell", text="")])
    work_until()
    assert states() == [("done", "UNSUPPORTED_MESSAGE")]


def test_the_simulator_shows_the_farewell_for_a_while(
    alice: User, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setitem(CHANNELS, "console", ConsoleChannel())
    bot = BotFactory.active(slug="demo")
    accept.accept(bot, [event("ask", text="/forget")])
    work_until()
    code = code_in(OutboundMessage.objects.get().text)
    accept.accept(bot, [event("yes", text=f"/forget {code}")])
    work_until(lambda: OutboundMessage.objects.filter(status="sent", text=GOODBYE).exists() and _nobody_works())
    news = read_news(bot.id, bot.slug, ALICE, None, 0)
    assert [bubble.text for bubble in news.messages] == [GOODBYE]
    assert (news.pending, news.working) == (0, False)
    Lease.objects.update(expires_at=timezone.now())  # half a minute later
    work_until()
    assert left() == [0, 0, 0, 0, 0]


def _nobody_works() -> bool:
    return not Lease.objects.exclude(worker="").exists()


@pytest.mark.parametrize("is_blocked", [True, False], ids=["blocked", "unknown"])
def test_who_is_not_let_in_may_ask_for_it_as_well(
    is_blocked: bool, turns_db: None, bot: ActiveBot, channel: ScriptedChannel, ask: Callable[..., str]
) -> None:
    User.objects.all().delete()
    if is_blocked:
        User.objects.create_user(STRANGER)
    ask("Hello", sender=STRANGER)
    assert AccessRequest.objects.count() == 1
    code = code_in(ask("/forget", sender=STRANGER))
    assert ask(f"/forget {code}", sender=STRANGER) == GOODBYE
    assert left() == [0, 0, 0, 0, 0]


def test_a_message_that_carries_somebody_elses_number_erases_nobody(ask: Callable[..., str], bot: ActiveBot) -> None:
    bob = whitelisted(BOB)
    InboundFactory.create(bot_id=bot.id, address=BOB, state="done")
    code = code_in(ask("/forget"))
    accept.accept(bot, [event("yes", text=f"/forget {code}", other_address=BOB)])
    work_until()
    assert bob in User.objects.all() and User.objects.count() == 2, "whose it is cannot be told"
    assert InboundMessage.objects.filter(address=BOB).exists()
