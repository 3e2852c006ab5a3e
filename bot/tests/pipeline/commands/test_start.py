"""A stranger sends a code: on real turns, from the refusal of strangers to the model's first answer."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.utils import timezone

from bot.models import AccessRequest, InboundMessage
from bot.pipeline.attempt_limit import TRIES, TRIES_MINUTES
from bot.pipeline.commands.start import OUTCOME_SENTENCES
from bot.pipeline.limiter import Limiter
from bot.queue import accept
from bot.queue.link_notices import LINKED
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import ALICE, BOB, STRANGER, BotFactory, event, whitelisted
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, states, work_until
from bot.worker.worker import Worker
from usage.models import UsageRecord
from users.invites import Outcome, create_invite
from users.models import AuditEntry, Invite, User

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

WELCOME, IN_ALREADY, TAKEN, NOT_VALID = (str(OUTCOME_SENTENCES[outcome]) for outcome in Outcome)
REFUSAL = "Hello! I only answer people who were invited. Please ask the owner for access."
BSUID = "US.13491208655302741918"


@pytest.fixture(autouse=True)
def fresh_limits(settings: Any) -> None:
    settings.REDIS_URL = None


def say(bot: ActiveBot, model: ScriptedModel, *texts: str, address: str = STRANGER, **fields: Any) -> None:
    """Let somebody write texts, each after the one before was answered."""
    for text in texts:
        accept.accept(bot, [event(f"m{InboundMessage.objects.count()}:{text}", text=text, address=address, **fields)])
        work_until(model=model)


def code_of(**fields: Any) -> str:
    return create_invite(**fields).code


def used() -> list[int]:
    return list(Invite.objects.order_by("pk").values_list("uses", flat=True))


@pytest.mark.parametrize("command", ["/join {}", "/start {}", "/JOIN  {} ", "/join@shop_bot {}"])
def test_a_stranger_with_a_code_is_welcomed_and_then_answered_by_the_model(
    bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, command: str
) -> None:
    say(bot, model, command.format(code_of().lower()), profile_name="Dana")
    assert channel.texts == [WELCOME]
    assert (model.history, UsageRecord.objects.count()) == ([], 0)

    say(bot, model, "What time is it?")

    assert channel.texts == [WELCOME, "Echo: What time is it?"]
    person = User.objects.get()
    assert (person.phone_number, person.name, person.role, person.is_whitelisted) == (STRANGER, "Dana", "user", True)
    assert states() == [("done", ""), ("done", "")]
    assert not AccessRequest.objects.exists()


def test_what_was_written_before_the_code_is_refused_and_what_comes_after_it_is_answered(
    bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    texts = ("Hi", f"/join {code_of()}", "Are you there?")
    accept.accept(bot, [event(f"m{n}", text=text, address=STRANGER) for n, text in enumerate(texts)])
    work_until(model=model)
    assert channel.texts == [REFUSAL, WELCOME, "Echo: Are you there?"]
    assert not AccessRequest.objects.exists(), "who is in asks for access no more"


def test_a_wrong_code_gets_nothing_from_the_model_and_one_polite_reply_a_day(
    bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    say(bot, model, "/join NOSUCHCODE22", "/join NOSUCHCODE23", "/start NOSUCHCODE24", "Hello?")
    assert channel.texts == [NOT_VALID]
    assert model.history == []
    assert states() == [("done", "UNAUTHORIZED")]
    assert AccessRequest.objects.get().messages == 4
    assert not User.objects.exists()


@pytest.mark.parametrize("ended", ["expired", "used up", "revoked"])
def test_an_ended_code_is_like_one_that_never_was(
    bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, ended: str
) -> None:
    code = code_of()
    now = timezone.now()
    changes: dict[str, Any] = {
        "expired": {"expires_at": now - timedelta(hours=1)},
        "used up": {"uses": 1},
        "revoked": {"revoked_at": now},
    }
    Invite.objects.update(**changes[ended])
    say(bot, model, f"/join {code}")
    assert channel.texts == [NOT_VALID]
    assert not User.objects.exists()


def test_a_bot_that_tells_strangers_nothing_tells_them_nothing_about_codes(
    channel: ScriptedChannel, model: ScriptedModel
) -> None:
    quiet = BotFactory.active(tells_strangers=False)
    say(quiet, model, "/join NOSUCHCODE22")
    assert channel.texts == []
    say(quiet, model, f"/join {code_of()}")
    assert channel.texts == [WELCOME]


@pytest.mark.parametrize("text", ["/join", "/start", "/start  ", "/joint {}", "join {}", "please /join {}"])
def test_anything_else_of_a_stranger_is_refused_as_ever(
    bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, text: str
) -> None:
    say(bot, model, text.format(code_of()))
    assert channel.texts == [REFUSAL]
    assert used() == [0]


def test_after_five_tries_in_an_hour_not_even_the_right_code_is_looked_for(
    bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    code = code_of()
    guesses = [f"/join NOSUCHCODE{number}" for number in range(20, 20 + TRIES)]
    turns = [event(f"m{n}", text=text, address=STRANGER) for n, text in enumerate([*guesses, f"/join {code}"])]
    accept.accept(bot, [*turns, event("bob", text=f"/join {code_of()}", address=BOB)])
    work_until(worker=Worker(10, model_factory=lambda: model))  # one process, as tries are counted in it

    assert sorted(channel.texts) == sorted([NOT_VALID, WELCOME])
    assert used() == [0, 1], "another address has tries of its own"
    assert not User.objects.filter(phone_number=STRANGER).exists()


def test_tries_are_counted_for_an_hour() -> None:
    async def within(limiter: Limiter) -> bool:
        return await limiter.hit("codes:x", TRIES, minutes=TRIES_MINUTES)

    limiter, now = Limiter(None), timezone.now()
    with time_machine.travel(now, tick=False):
        assert [asyncio.run(within(limiter)) for _ in range(TRIES + 1)] == [True] * TRIES + [False]
    with time_machine.travel(now + timedelta(minutes=59), tick=False):
        assert not asyncio.run(within(limiter))
    with time_machine.travel(now + timedelta(minutes=61), tick=False):
        assert asyncio.run(within(limiter))


def test_within_five_tries_the_right_code_lets_in(
    bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    guesses = [f"/join NOSUCHCODE{number}" for number in range(21, 20 + TRIES)]
    turns = [event(f"m{n}", text=text, address=STRANGER) for n, text in enumerate([*guesses, f"/join {code_of()}"])]
    accept.accept(bot, turns)
    work_until(model=model)
    assert channel.texts == [NOT_VALID, WELCOME]


def test_a_persons_invite_links_their_new_address_and_keeps_their_conversation(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    say(bot, model, "I like tea", address=ALICE)
    say(bot, model, f"/join {code_of(person=alice)}", "What do I like?", address="700700")
    assert [one.text for one in channel.sent if one.address == "700700"] == [WELCOME, "Echo: What do I like?"]
    assert [message.content for message in model.history[-1].messages][1:] == [
        "I like tea",
        "Echo: I like tea",
        "What do I like?",
    ]
    assert User.objects.count() == 1


def test_the_person_is_told_where_they_wrote_and_the_log_says_who_asked_from_where(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    owner = User.objects.create_superuser("+12025550177")
    say(bot, model, "My diagnosis is secret", address=ALICE)
    invite = create_invite(person=alice, created_by=owner)
    say(bot, model, f"/join {invite.code}", "/export", address="700700123")

    told = [(one.address, one.text) for one in channel.sent if one.text == str(LINKED)]
    assert told == [(ALICE, str(LINKED))], "in the chat they had, and not to the new address"
    noted = AuditEntry.objects.order_by("pk").values_list("action", "subject", "actor", "via", "details")
    place: dict[str, Any] = {"channel": "console"}
    told_by: list[Any] = list(noted)
    assert told_by == [
        ("linked", alice.pk, None, "chat", {**place, "to": "700…23", "invite": invite.pk, "by": owner.pk}),
        ("exported", alice.pk, None, "chat", {**place, "from": "700…23"}),
    ]


def test_an_admins_invite_for_who_has_a_conversation_gives_it_to_nobody(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    admin = User.objects.create_user("+12025550177", role="admin")
    dana = User.objects.create_user(None, name="Dana")
    invite = create_invite(person=dana, created_by=admin, max_uses=2)
    say(bot, model, f"/join {invite.code}", "My diagnosis is secret", address="700700123")
    say(bot, model, f"/join {invite.code}", "/export", address="800800123")
    assert next(one.text for one in channel.sent if one.address == "800800123") == NOT_VALID
    assert not any("diagnosis" in one.text for one in channel.sent if one.address == "800800123")
    with pytest.raises(ValidationError):
        create_invite(person=dana, created_by=admin)


def test_the_other_name_of_who_joins_is_remembered(
    bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    say(bot, model, f"/join {code_of()}", other_address=BSUID)
    say(bot, model, "Hello", address=BSUID)
    assert channel.texts == [WELCOME, "Echo: Hello"]
    assert User.objects.count() == 1


def test_who_is_in_already_uses_nothing_up(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    say(bot, model, f"/join {code_of()}", f"/start {code_of(person=alice)}", "/join", "/join NOSUCHCODE", address=ALICE)
    assert channel.texts == [IN_ALREADY] * 4
    assert used() == [0, 0]
    assert model.history == []


def test_somebody_elses_invite_is_refused_to_who_is_in(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    say(bot, model, f"/join {code_of(person=whitelisted(BOB))}", address=ALICE)
    assert channel.texts == [TAKEN]
    assert used() == [0]


def test_start_alone_is_help_for_who_is_in_and_neither_is_listed(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    say(bot, model, "/help", "/start", address=ALICE)
    assert channel.texts[0] == channel.texts[1]
    assert "/usage" in channel.texts[0]
    assert "/start" not in channel.texts[0]
    assert "/join" not in channel.texts[0]


def test_who_was_taken_off_the_whitelist_does_not_come_back_by_an_open_code(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    User.objects.update_whitelist(alice, False)
    say(bot, model, f"/join {code_of()}", "Hello?", address=ALICE)
    assert channel.texts == [NOT_VALID]
    assert model.history == []
    say(bot, model, f"/join {code_of(person=alice)}", "Hello?", address=ALICE)
    assert channel.texts == [NOT_VALID, WELCOME, "Echo: Hello?"]


def test_a_turn_that_fails_after_the_code_was_redeemed_is_answered_and_costs_no_second_use(
    bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bot.worker import replies

    original, failures = replies.store_replies, [RuntimeError("killed")]

    def store(worker: str, turns: Any) -> Any:
        if failures:
            raise failures.pop()
        return original(worker, turns)

    monkeypatch.setattr(replies, "store_replies", store)
    say(bot, model, f"/join {code_of(max_uses=5)}")
    assert failures == []
    assert channel.texts == [IN_ALREADY]
    assert used() == [1]
