"""Chat commands: who is told of which, and that each answers whatever follows it, without a model."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from bot.ai.base import Completion, CompletionRequest
from bot.errors import AppError, ErrorCode
from bot.models import AccessRequest
from bot.pipeline.commands.registry import COMMANDS, Command
from bot.pipeline.turn import Turn
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import ALICE, BOB, event, whitelisted
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, states, work_until
from bot.worker import replies
from users.models import User
from users.roles import Role

OWNER = "+4915100000001"
ADMIN = "+4915100000002"
FOR_STAFF = {"allow", "deny", "users", "spend"}
GARBAGE = ("%s %(name)s {0} #'\";-- \u202e🎉👩‍👩‍👧 <b>/help\n\t٣٤٥ Ünïcødé \\ " * 60)[:2000]
Ask = Callable[..., str]


@pytest.fixture(autouse=True)
def staff(turns_db: None) -> dict[str, User]:
    return {
        OWNER: whitelisted(OWNER, name="Olga", role=Role.OWNER),
        ADMIN: whitelisted(ADMIN, name="Adam", role=Role.ADMIN),
    }


class FailingModel(ScriptedModel):
    """A model that is down."""

    async def complete(self, request: CompletionRequest) -> Completion:
        self.history.append(request)
        raise AppError(ErrorCode.OPENAI_API_ERROR, "it is down")


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_every_command_answers_whatever_follows_it_without_a_model_call(
    bot: ActiveBot,
    channel: ScriptedChannel,
    model: ScriptedModel,
    command: Command,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.RATE_LIMIT_PER_OWNER = 1_000
    monkeypatch.setattr("bot.pipeline.attempt_limit.TRIES", 1_000)
    arguments = ["", "gpt-6-luna", "#1", "+49 151 0000 0009 Anna", GARBAGE, "9" * 2000, f"#{'9' * 2000}"]
    texts = [f"/{command.name} {argument}" for argument in arguments]
    accept.accept(bot, [event(f"m{n}", address=OWNER, text=text) for n, text in enumerate(texts)])

    work_until(model=model)

    said = [message.text for message in channel.sent if not message.filename]
    assert len(said) == len(texts) and all(text.strip() for text in said)
    assert states() == [("done", "")] * len(texts)
    assert model.history == []


@pytest.mark.parametrize("text", ["/allow +4915187654321", "/deny +4915100000001", "/users", "/spend", "/ALLOW"])
def test_what_is_for_staff_does_not_exist_for_others(ask: Ask, alice: User, text: str) -> None:
    answer = ask(text)

    assert answer.startswith(f"I don't know {text.split()[0].lower()}. ")
    assert not FOR_STAFF & set(re.findall(r"/(\w+)", answer.split(".", 1)[1]))
    assert User.objects.count() == 3 and User.objects.whitelisted().count() == 3


def test_a_role_counts_from_the_next_message_on(ask: Ask, alice: User) -> None:
    assert "I don't know /users" in ask("/users")
    User.objects.update_role(alice, Role.ADMIN)
    assert "may write to me" in ask("/users")
    User.objects.update_role(alice, Role.USER)
    assert "I don't know /users" in ask("/users")


@pytest.mark.parametrize("trouble", ["the model is down", "everybody's budget is used up", "the person's is used up"])
def test_commands_are_answered_while_questions_can_not_be(
    ask: Ask, bot: ActiveBot, settings: Any, trouble: str, monkeypatch: pytest.MonkeyPatch, model: ScriptedModel
) -> None:
    if trouble == "the model is down":
        monkeypatch.setattr(ScriptedModel, "complete", FailingModel.complete)
    settings.LLM_PROVIDER = "openai"  # (the demo model costs nothing)
    settings.DAILY_BUDGET_MICROS = 0 if "everybody" in trouble else None
    settings.USER_DAILY_BUDGET_MICROS = 0 if "person" in trouble else None
    AccessRequest.objects.create(bot_id=bot.id, address=BOB, messages=3)

    told = {text: ask(text, OWNER) for text in ("Hello", "/help", "/whoami", "/usage", "/users", "/spend", "/allow")}
    told[""] = ask(f"/allow {BOB} Bob", OWNER)
    told["/deny"] = ask(f"/deny {BOB}", OWNER)

    assert "try again" in told["Hello"]
    assert told["/whoami"].startswith("Name: Olga\nRole: Owner\n")
    assert "4 people may write" not in told["/users"] and "2 people may write to me." in told["/users"]
    assert told["/spend"].startswith("Today: 0 answers, 0 tokens, $0.00")
    assert "3 messages" in told["/allow"]
    assert told[""] == f"Bob ({BOB}) may write to me now."
    assert told["/deny"] == f"Bob ({BOB}) may not write to me any more."
    assert len(model.history) == (1 if "model" in trouble else 0), "only the question asked it"


@pytest.mark.parametrize(
    ("text", "first", "again"),
    [
        (f"/allow {BOB} Bob", f"Bob ({BOB}) may write to me now.", f"Bob ({BOB}) is allowed already."),
        (f"/deny {ALICE}", f"Alice ({ALICE}) may not write to me any more.", f"Alice ({ALICE}) was not allowed to"),
        ("/allow #7", f"Bob ({BOB}) may write to me now.", "No request #7 is waiting."),
        ("/deny #7", "Request #7 is dismissed.", "No request #7 is waiting."),
    ],
)
def test_a_worker_that_dies_between_doing_and_storing_leaves_a_command_that_can_be_done_again(
    ask: Ask, bot: ActiveBot, alice: User, monkeypatch: pytest.MonkeyPatch, text: str, first: str, again: str
) -> None:
    AccessRequest.objects.create(pk=7, bot_id=bot.id, address=BOB, profile_name="Bob", last_seen_at=timezone.now())
    stored = replies.store_replies
    failed: list[Turn] = []

    def fail_once(worker: str, turns: Any) -> Any:
        if not failed:
            failed.extend(turns)
            raise RuntimeError("the worker dies here")
        return stored(worker, turns)

    monkeypatch.setattr(replies, "store_replies", fail_once)
    monkeypatch.setattr("bot.worker.answering.backoff", lambda attempts: timedelta())

    answer = ask(text, OWNER)

    assert failed[0].result.reply == first, "it was done"
    assert answer.startswith(again)
    assert User.objects.filter(phone_number=BOB).count() <= 1
    assert (AccessRequest.objects.count() == 1) == (text == f"/deny {ALICE}")


def test_a_command_behind_a_direction_mark_is_answered_and_no_model_is_asked(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    accept.accept(bot, [event(text="\u200e/help")])
    work_until(model=model)
    assert model.history == []
    assert "/help" in channel.texts[0]
