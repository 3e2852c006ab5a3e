"""manage.py chat: the terminal's way to a bot."""

import builtins
import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from bot.management.commands import chat
from bot.models import Bot, InboundMessage, Lease, OutboundMessage
from bot.queue import snapshot
from bot.tests.support.factories import BotFactory
from usage.models import UsageRecord
from users.models import User
from users.tests.factories import UserFactory

ALICE_NUMBER = "+12025550101"
BOB_NUMBER = "+12025550102"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def bot():
    bot = BotFactory(slug="demo")
    snapshot.forget()
    yield bot
    snapshot.forget()


@pytest.fixture
def alice():
    return UserFactory(phone_number=ALICE_NUMBER, name="Alice")


class Clock:
    """Time that passes only while the command waits; whatever else happens in the world happens then."""

    def __init__(self, monkeypatch):
        self.now = 1_000.0
        self.world = lambda: None
        monkeypatch.setattr(chat, "monotonic", lambda: self.now)
        monkeypatch.setattr(chat, "sleep", self.sleep)

    def sleep(self, seconds):
        self.now += seconds
        self.world()


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def reply_to_all(**fields):
    """Answer every pending message with "You said …" in two parts, as a worker would."""
    for row in InboundMessage.objects.filter(state="pending").order_by("id"):
        user = User.objects.get(phone_number=row.address)
        UsageRecord.objects.create(
            user=user,
            model="gpt",
            model_answered="gpt-2026",
            input_tokens=12,
            output_tokens=3,
            cost_micros=42,
            turn_key=row.pk,
        )
        for part, text in enumerate(("You said", row.payload["text"])):
            OutboundMessage.objects.create(
                bot=row.bot, address=row.address, turn_key=row.pk, part=part, text=text, **{"status": "sent", **fields}
            )
        InboundMessage.objects.filter(pk=row.pk).update(state="done", payload={}, turn_key=row.pk)


def run(*arguments, keyboard=(), monkeypatch=None):
    if monkeypatch:
        lines = iter(keyboard)

        def read(prompt=""):
            line = next(lines, EOFError)
            if isinstance(line, str):
                return line
            raise line

        monkeypatch.setattr(builtins, "input", read)
    out, problems = io.StringIO(), io.StringIO()
    call_command("chat", *arguments, stdout=out, stderr=problems, no_color=True)
    return out.getvalue(), problems.getvalue()


def test_a_message_is_answered_and_its_cost_is_shown(clock, bot, alice):
    clock.world = reply_to_all
    out, problems = run("--message", "Hello there")
    assert out.splitlines() == ["demo: You said", "demo: Hello there", "   gpt-2026 · 12 + 3 tokens · $0.000042"]
    assert problems == ""
    row = InboundMessage.objects.get()
    assert (row.bot, row.address, row.kind) == (bot, ALICE_NUMBER, "text")


def test_a_reply_that_no_model_was_paid_for_shows_no_cost(clock, alice):
    def reply_for_free():
        reply_to_all()
        UsageRecord.objects.all().delete()

    clock.world = reply_for_free
    assert run("--message", "/help")[0].splitlines() == ["demo: You said", "demo: /help"]


def test_several_messages_are_sent_in_turn(clock, alice):
    clock.world = reply_to_all
    out, _ = run("--message", "one", "two", "--message", "three")
    assert [line for line in out.splitlines() if "You said" not in line and "tokens" not in line] == [
        "demo: one",
        "demo: two",
        "demo: three",
    ]


def test_the_bot_and_the_person_can_be_chosen_in_any_spelling(clock, alice):
    BotFactory(slug="other")
    UserFactory(phone_number=BOB_NUMBER, name="Bob")
    clock.world = reply_to_all
    out, _ = run("--bot", "other", "--as", "001 (202) 555-0102", "--message", "Hello")
    assert "other: Hello" in out
    assert InboundMessage.objects.get().address == BOB_NUMBER


def test_without_a_message_it_asks_until_the_input_ends(clock, alice, monkeypatch):
    clock.world = reply_to_all
    out, problems = run(keyboard=["Hello", "  ", "Again"], monkeypatch=monkeypatch)
    assert out.startswith("You are Alice, talking to demo.")
    assert "demo: Hello" in out
    assert "demo: Again" in out
    assert problems == "The message is empty.\n"


def test_ctrl_c_leaves_the_prompt_and_the_waiting(clock, alice, monkeypatch):
    out, _ = run(keyboard=[KeyboardInterrupt], monkeypatch=monkeypatch)
    assert out.endswith("\n\n")

    def interrupt():
        raise KeyboardInterrupt

    clock.world = interrupt
    run(keyboard=["Hello"], monkeypatch=monkeypatch)
    run("--message", "Hello")
    assert InboundMessage.objects.filter(state="pending").count() == 2


def test_it_says_so_when_no_worker_answers_within_15_seconds(clock, alice):
    began = clock.now
    with pytest.raises(CommandError, match=r"Is the worker running.*runworker"):
        run("--message", "Hello")
    assert 15 <= clock.now - began < 16
    assert InboundMessage.objects.get().state == "pending"


def test_at_the_prompt_a_missing_worker_does_not_end_the_chat(clock, alice, monkeypatch):
    _, problems = run(keyboard=["Hello", "Hello?"], monkeypatch=monkeypatch)
    assert problems.count("Is the worker running") == 2


def test_a_slow_model_is_no_missing_worker(clock, bot, alice, settings):
    settings.MODEL_DEADLINE_SECONDS = 60
    Lease.objects.create(bot=bot, address=ALICE_NUMBER, worker="w", expires_at=timezone.now() + timedelta(hours=1))
    began = clock.now
    clock.world = lambda: reply_to_all() if clock.now - began > 40 else None
    assert "demo: Hello" in run("--message", "Hello")[0]
    clock.world = lambda: None
    began = clock.now
    with pytest.raises(CommandError, match="No answer"):
        run("--message", "Hello")
    assert 75 <= clock.now - began < 76


def test_a_bot_that_waits_for_the_rest_of_a_burst_is_given_its_time(clock, bot, alice):
    Bot.objects.update(burst_wait_seconds=20)
    snapshot.forget()
    began = clock.now
    clock.world = lambda: reply_to_all() if clock.now - began > 20 else None
    assert "demo: Hello" in run("--message", "Hello")[0]


@pytest.mark.parametrize(
    ("end", "says"),
    [
        (lambda: InboundMessage.objects.update(state="done", payload={}), "handled without a reply"),
        (lambda: InboundMessage.objects.all().delete(), "handled without a reply"),
        (
            lambda: InboundMessage.objects.update(state="dead", error_code="INTERNAL_ERROR"),
            r"INTERNAL_ERROR\): it is a dead",
        ),
    ],
    ids=["done", "deleted", "dead"],
)
def test_a_turn_that_ends_without_a_reply_is_told_apart(clock, alice, end, says):
    clock.world = end
    with pytest.raises(CommandError, match=says):
        run("--message", "Hello")


def test_a_reply_that_could_not_be_delivered_is_marked(clock, alice):
    clock.world = lambda: reply_to_all(status="failed")
    _, problems = run("--message", "Hello")
    assert problems == "(failed)\n(failed)\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--bot", "nobody"], "There are: demo"),
        (["--as", BOB_NUMBER], rf"\{BOB_NUMBER}. Whitelisted: \{ALICE_NUMBER} \(Alice\)"),
        (["--as", "not a number"], "Whitelisted:"),
        (["--message", " "], "empty"),
        (["--message", "fine", "x" * 4097], "at most 4096"),
    ],
)
def test_what_cannot_be_used_is_refused_with_what_would_be_right(alice, arguments, says):
    UserFactory(phone_number=BOB_NUMBER, is_whitelisted=False)
    with pytest.raises(CommandError, match=says):
        run(*arguments)
    assert not InboundMessage.objects.exists()


def test_an_empty_installation_says_how_to_fill_it(alice):
    User.objects.update(is_whitelisted=False)
    with pytest.raises(CommandError, match="Nobody is whitelisted"):
        run()
    Bot.objects.all().delete()
    snapshot.forget()
    with pytest.raises(CommandError, match=r"no active console bot.*bootstrap"):
        run()
    with pytest.raises(CommandError, match="none yet"):
        run("--bot", "demo")


def test_a_document_is_told_by_name_and_size(clock, alice):
    def with_a_file():
        for row in InboundMessage.objects.filter(state="pending"):
            chat = {"bot": row.bot, "address": row.address, "turn_key": row.pk, "status": "sent"}
            OutboundMessage.objects.create(**chat, part=1, text="Here:", external_id="1")
            OutboundMessage.objects.create(**chat, part=2, text="ä" * 600, filename="data.txt", external_id="2")
            InboundMessage.objects.filter(pk=row.pk).update(state="done", turn_key=row.pk)

    clock.world = with_a_file
    out = io.StringIO()
    call_command("chat", message=["/export"], stdout=out)
    assert out.getvalue() == "demo: Here:\ndemo: [data.txt, 1,200 bytes]\n"


def test_a_reply_comes_with_how_it_came_about(clock, alice):
    clock.world = reply_to_all
    out, _ = run("--message", "Hello", "--story")
    assert "Received" in out
    assert "gpt-2026 · 12 + 3 tokens · $0.000042" in out.partition("Received")[2]


def test_at_the_prompt_it_is_told_when_asked_for(clock, alice, monkeypatch):
    clock.world = reply_to_all
    out, problems = run(keyboard=["/what", "Hello", "/what"], monkeypatch=monkeypatch)
    assert problems.startswith("There is nothing to tell of")
    assert out.count("Received") == 1
    assert InboundMessage.objects.count() == 1, "it goes to no bot"


def test_one_writes_as_an_unknown_person_and_reads_the_polite_line_once(clock, bot, alice):
    def refuse():
        row = InboundMessage.objects.first()
        if row and not OutboundMessage.objects.exists():
            OutboundMessage.objects.create(
                bot=bot, address=row.address, turn_key=row.pk, part=1, text="Please ask the owner.", status="sent",
                external_id="console-1",
            )  # fmt: skip
        InboundMessage.objects.all().delete()

    clock.world = refuse
    out, _ = run("--as", "unknown", "--message", "Hello")
    assert out == "demo: Please ask the owner.\n"
    with pytest.raises(CommandError, match="handled without a reply"):
        run("--as", "unknown", "--message", "Hello again")


def test_one_writes_as_somebody_over_budget(clock, bot, alice):
    clock.world = reply_to_all
    assert "demo: Hello" in run("--as", "over-budget", "--message", "Hello")[0]
    person = User.objects.get(daily_budget_micros=0)
    assert InboundMessage.objects.get().address == person.phone_number
    User.objects.filter(pk=person.pk).update(role="admin")
    with pytest.raises(CommandError, match="member of staff"):
        run("--as", "over-budget", "--message", "Hello")
