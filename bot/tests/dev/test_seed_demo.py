"""Demo data adds up, belongs to nobody, starts no work, and goes without a trace of it or a loss of anything else."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db.models import F, Q, Sum
from django.utils import timezone

from bot.dev.demo.marks import INVITE_PREFIX, seeded_bots, seeded_people
from bot.dev.demo.numbers import is_fictional
from bot.history.trace import trace
from bot.models import AccessRequest, Bot, DailyFigures, InboundMessage, Lease, OutboundMessage
from bot.monitoring.metrics import pending
from bot.operations.bootstrap import DEMO_OWNER_NUMBER, ensure_demo
from bot.operations.figures.days import inbound_of
from bot.operations.figures.folding import fold_minute, fold_night
from bot.operations.figures.history import history
from bot.operations.purge import purge_expired
from bot.pipeline.runner import FOR_PEOPLE
from bot.queue import recovery
from bot.simulator.queries import read_news
from bot.tests.support.factories import ALICE, STRANGER, BotFactory, InboundFactory, whitelisted
from bot.tests.support.fakes import ScriptedModel, work_until
from bot.tests.support.figure_rows import call, report_by_day
from conversations.models import Conversation, Message
from usage import budgets
from usage.days import today
from usage.models import DailySpend, ModelPrice, UsageRecord
from usage.tests.usages import report
from users.invites import renew_code
from users.models import Identity, Invite, Role, User
from users.tests.factories import alice

pytestmark = pytest.mark.django_db
State, Status = InboundMessage.State, OutboundMessage.Status
DAYS, PEOPLE = 6, 20
# What a second run at the same moment cannot have the same: keys of rows.
FREE = {"id", "user_id", "bot_id", "conversation_id", "created_by_id", "turn_key", "updated_at"}
SEEDED = (
    *(User, Identity, Bot, InboundMessage, OutboundMessage, Lease, AccessRequest, Invite),
    *(Conversation, Message, UsageRecord, DailySpend),
)


@pytest.fixture(autouse=True)
def on_an_afternoon() -> Iterator[None]:
    """Let what is made, which follows from the time, be the same in each run of the suite."""
    with time_machine.travel("2026-03-11T15:40:00Z"):
        yield


def seed(*options: str, days: int = DAYS, people: int = PEOPLE) -> str:
    out = StringIO()
    call_command("seed_demo", f"--days={days}", f"--people={people}", *options, stdout=out)
    return out.getvalue()


def contents() -> dict[str, Counter[str]]:
    """Return what is seeded, without what differs from run to run."""
    return {
        model.__name__: Counter(
            repr(sorted((name, str(value)) for name, value in row.items() if name not in FREE))
            for row in model._base_manager.values()
        )
        for model in SEEDED
    }


def everything() -> dict[str, list[str]]:
    return {model.__name__: sorted(map(repr, model._base_manager.values_list())) for model in apps.get_models()}


def sums_of_records(*keys: str) -> dict[tuple[Any, ...], int]:
    rows = UsageRecord.objects.order_by().values_list(*keys, "budget_day").annotate(sum=Sum("budget_micros"))
    return {tuple(row[:-1]): row[-1] for row in rows if row[-1]}


def sums_of_days(*keys: str, rows: Any) -> dict[tuple[Any, ...], int]:
    return {tuple(row[:-1]): row[-1] for row in rows.values_list(*keys, "day", "spent_micros") if row[-1]}


def test_what_days_have_cost_is_what_the_calls_have_cost() -> None:
    seed()
    assert sums_of_records("user") == sums_of_days("user", rows=DailySpend.objects.exclude(user=None))
    assert sums_of_records("bot") == sums_of_days("bot", rows=DailySpend.objects.exclude(bot=""))
    everybody = DailySpend.objects.filter(user=None, bot="")
    assert sums_of_records() == sums_of_days(rows=everybody)
    assert len(everybody) >= DAYS - 1
    assert not DailySpend.objects.filter(~Q(reserved_micros=0)).exists()


def test_a_report_over_the_days_says_what_the_budgets_have_counted() -> None:
    seed()
    found, total = report(DAYS), report(DAYS).total.sums
    unpriced = UsageRecord.objects.unpriced()
    assumed = sum(
        budgets.counted_micros(None, into, out) for into, out in unpriced.values_list("input_tokens", "output_tokens")
    )
    for owners, rows in (("user", found.rows), ("bot", found.dearest("bot"))):
        spent = DailySpend.objects.exclude(**{f"{owners}": None if owners == "user" else ""})
        assert spent.aggregate(sum=Sum("spent_micros"))["sum"] == total.cost_micros + assumed
        assert sum(row.sums.cost_micros for row in rows) == total.cost_micros
    assert total.unpriced == unpriced.count() > 0
    assert total.cost_micros > 0
    assert len(found.by("model")) >= 4
    assert not ModelPrice.objects.exists()


def test_the_figures_of_days_are_those_of_the_calls_and_messages() -> None:
    seed(days=40)
    kept = {(row.day, row.bot): row for row in DailyFigures.objects.filter(is_over=True)}
    first = today() - timedelta(days=39)
    assert {day for day, bot in kept if not bot} >= {first + timedelta(days=ago) for ago in range(1, 39)}
    for (day, bot), row in kept.items():
        records = UsageRecord.objects.between(day, day)
        sums = (records.filter(bot=bot) if bot else records).totals()
        assert (row.input_tokens, row.output_tokens, row.cost_micros) == (
            sums.input_tokens, sums.output_tokens, sums.cost_micros
        ), (day, bot)  # fmt: skip
        assert sum(row.costs.values()) == row.cost_micros
        assert row.answered + row.failed == row.received >= row.people
        assert sum(row.failures.values()) == row.failed
    newest = kept[today() - timedelta(days=1), ""]
    assert newest.received == newest.answered + newest.failed == inbound_of(newest.day).count() > 0
    busy = [row for row in kept.values() if row.answered]
    assert all(300 < (row.median_ms or 0) <= (row.p95_ms or 0) < 20_000 for row in busy)


def test_figures_of_days_on_which_others_have_used_it_are_not_overwritten() -> None:
    day = today() - timedelta(days=9)
    assert DailyFigures.objects.store([{"day": day, "bot": "", "received": 1, "cost_micros": 5}]) == 1
    seed(days=12)
    row = DailyFigures.objects.get(day=day, bot="")
    assert (row.received, row.cost_micros) == (1, 5)
    assert DailyFigures.objects.filter(day=day).exclude(bot="").exists()


def test_what_others_have_spent_is_what_is_left_of_their_days() -> None:
    day = today() - timedelta(days=9)
    DailyFigures.objects.store([{"day": day, "bot": bot, "received": 1} for bot in ("", "theirs")])
    call("theirs", timezone.now() - timedelta(days=9), 5)
    seed(days=12)
    fold_night()
    assert (
        DailyFigures.objects.get(day=day, bot="").cost_micros
        == UsageRecord.objects.between(day, day).totals().cost_micros
        > 5
    )
    seed("--clear")
    row = DailyFigures.objects.get(day=day, bot="")
    assert (row.received, row.cost_micros, row.costs) == (1, 5, {"gpt-6-luna": 5})


def test_days_that_were_counted_before_are_not_empty_for_ever() -> None:
    fold_minute()
    seed()
    fold_minute()
    past = history()
    assert [day.received for day in past.days[-DAYS + 1 :] if not day.received] == []
    assert past.total("cost_micros") == sum(report_by_day(DAYS).values())


def test_the_same_seed_at_the_same_time_makes_the_same_rows_and_another_makes_others() -> None:
    with time_machine.travel("2026-03-11T15:40:00Z", tick=False):
        seed("--seed=7")
        first = contents()
        seed("--clear")
        seed("--seed=7")
        assert contents() == first
        seed("--clear")
        seed("--seed=8")
        assert contents()["User"] != first["User"]


def test_people_and_what_they_say_do_not_depend_on_the_time() -> None:
    said = []
    for moment in ("2026-03-11T15:40:00Z", "2026-03-11T15:45:00Z"):
        with time_machine.travel(moment, tick=False):
            seed()
            said.append((set(User.objects.values_list("phone_number", "name")), Message.objects.count()))
            seed("--clear")
    assert said[0][0] == said[1][0]
    assert said[0][1] == pytest.approx(said[1][1], abs=20)


def test_nobody_real_is_named_and_nobody_can_sign_in() -> None:
    seed(people=130, days=2)
    people = list(User.objects.all())
    addresses = {*InboundMessage.objects.exclude(address="").values_list("address", flat=True)}
    addresses |= {*OutboundMessage.objects.values_list("address", flat=True)}
    addresses |= {*AccessRequest.objects.values_list("address", flat=True)}
    addresses |= {str(person.phone_number) for person in people}
    assert len(addresses) > 130
    assert [number for number in addresses if not is_fictional(number)] == []
    assert not any(person.has_usable_password() for person in people)
    assert {person.role for person in people} == {Role.ADMIN, Role.USER}
    assert all(person.is_staff == (person.role == Role.ADMIN) and not person.is_superuser for person in people)
    assert 0 < sum(not person.is_whitelisted for person in people) < 15
    assert any(person.daily_budget_micros for person in people)
    assert all(".DEMO" in address for address in Identity.objects.values_list("address", flat=True))
    assert Identity.objects.exists()


@pytest.mark.parametrize("number", ["+4915112345678", "+12025551000", "+447700910000", "+46701740604", "+491713920100"])
def test_a_number_beside_the_free_ranges_is_not_fictional(number: str) -> None:
    assert not is_fictional(number)


def test_nothing_waits_for_a_worker() -> None:
    seed()
    now = timezone.now()
    assert {*Bot.objects.values_list("channel", flat=True)} == {"console"}
    assert not InboundMessage.objects.filter(state=State.PENDING).exists()
    assert not OutboundMessage.objects.filter(status__in=(Status.QUEUED, Status.SENDING)).exists()
    assert not Lease.objects.filter(expires_at__gt=now).exists()
    assert InboundMessage.objects.waiting_chats(now, 10) == []


@pytest.mark.usefixtures("turns_db")
def test_a_worker_leaves_it_alone_and_answers_what_is_written_afterwards(channel: Any) -> None:
    seed()
    before = everything()
    number = next(iter(seeded_people().values()))
    model = ScriptedModel()
    work_until(model=model)
    assert (channel.texts, everything()) == ([], before)
    User.objects.filter(phone_number=number).update(is_whitelisted=True)
    InboundFactory.create(bot=seeded_bots()[0], address=number)
    work_until(model=model)
    assert len(channel.texts) == 1


def test_what_others_wrote_waits_as_before() -> None:
    whitelisted(ALICE)
    message = InboundFactory.create(bot=BotFactory.create(slug="demo"), address=ALICE)
    InboundMessage.objects.update(available_at=timezone.now() - timedelta(days=3))
    before = InboundMessage.objects.filter(pk=message.pk).values().get()
    seed("--yes")
    assert InboundMessage.objects.filter(pk=message.pk).values().get() == before
    assert before["state"] == State.PENDING
    assert not OutboundMessage.objects.filter(address=ALICE).exists()


def test_what_fails_is_taken_away_again_and_the_clock_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    before = everything()
    monkeypatch.setattr("bot.dev.demo.seed.store_invites", lambda *given: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        seed()
    assert everything() == before
    assert timezone.now() >= datetime(2026, 3, 11, 15, 40, tzinfo=UTC)
    assert not pending


def test_each_stage_that_a_turn_went_through_is_the_runners_own() -> None:
    seed()
    answered = InboundMessage.objects.filter(state=State.DONE, error_code="").exclude(steps=None)[0]
    steps = answered.steps or []
    assert [name for name, _ in steps] == ["claimed", *(stage.__name__ for stage in FOR_PEOPLE), "stored"]
    assert 300 < steps[-1][1] < 20_000


def test_the_purge_finds_nothing_that_is_due_and_later_everything_that_is() -> None:
    # In the evening, when people have written just as long ago as messages are kept.
    with time_machine.travel("2026-03-11T19:40:00Z"):
        seed(days=10)
        assert not any(purge_expired().values())
    with time_machine.travel("2026-03-20T19:45:00Z"):
        went = purge_expired()
    assert went["inbound"] > 0 < went["outbound"]
    assert not Conversation.objects.exists()
    assert not InboundMessage.objects.exists()


def test_every_state_of_messages_is_there_with_times_that_grow() -> None:
    seed()
    assert {*InboundMessage.objects.values_list("state", flat=True)} == {State.DONE, State.DEAD, State.QUARANTINED}
    statuses = {*OutboundMessage.objects.values_list("status", flat=True)}
    assert statuses == {*Status} - {Status.QUEUED, Status.SENDING}
    assert not InboundMessage.objects.filter(state=State.DEAD, error_code="").exists()
    now = timezone.now()
    worked = InboundMessage.objects.exclude(begun_at=None)
    for message in worked:
        assert message.sent_at and message.begun_at and message.finished_at
        assert message.sent_at < message.received_at < message.begun_at < message.finished_at <= now
    times = ("created_at", "sending_at", "sent_at", "delivered_at", "read_at")
    for reached in OutboundMessage.objects.filter(status=Status.READ).values_list(*times):
        # (A reply is stored together with the beginning of its first send.)
        assert list(reached[1:]) == sorted({*reached[1:]}) and reached[0] <= reached[1] and reached[-1] <= now
    assert not OutboundMessage.objects.filter(status__in=(Status.DELIVERED, Status.READ)).exclude(text="").exists()


def test_a_turn_can_be_traced_from_its_receipt_to_its_end_and_what_it_cost() -> None:
    seed()
    paid = UsageRecord.objects.exclude(turn_key=None).values("turn_key")
    longer = OutboundMessage.objects.filter(part=2).values("turn_key")
    read = OutboundMessage.objects.filter(status=Status.READ, turn_key__in=paid).exclude(turn_key__in=longer)[0]
    message = InboundMessage.objects.get(pk=read.turn_key)
    told = [step.what for step in trace(message).steps]
    order = ["received", "begun", "completion", "completion recorded", "reply stored", "sending", "sent", "delivered"]
    assert [what for what in told if what in order] == order
    assert {"read", "ended"} <= {*told}
    assert OutboundMessage.objects.exclude(turn_key__in=InboundMessage.objects.values("pk")).count() == 0
    assert InboundMessage.objects.exclude(steps=None).exclude(turn_key=F("pk")).count() == 0


def test_the_simulator_shows_a_dialogue_with_costs() -> None:
    seed()
    paid = UsageRecord.objects.exclude(turn_key=None).values("turn_key")
    sent = OutboundMessage.objects.filter(status=Status.SENT, turn_key__in=paid)
    shown = sent.exclude(text="").order_by("-pk")[0]
    person = User.objects.get(phone_number=shown.address)
    news = read_news(shown.bot_id, shown.bot.slug, shown.address, person, None)
    assert news.pending == 0
    assert any(bubble.cost for bubble in news.messages)
    assert any(bubble.mine for bubble in news.messages)


def test_conversations_are_alive_and_end_when_their_last_message_says() -> None:
    seed()
    assert Conversation.objects.count() == Conversation.objects.live().count() > 0
    for conversation in Conversation.objects.all():
        roles = list(conversation.messages.order_by("pk").values_list("role", flat=True))
        assert roles == ["user", "assistant"] * (len(roles) // 2)
    assert not Message.objects.filter(Q(content="") | Q(content__contains="{")).exists()


def test_invites_are_in_every_state_and_have_no_code_until_staff_make_one_which_stays() -> None:
    seed("--seed=3")
    assert 0 < Invite.objects.usable(timezone.now()).count() < Invite.objects.count()
    assert Invite.objects.exclude(revoked_at=None).exists()
    marks = Invite.objects.values_list("digest", flat=True)
    assert all(mark.startswith(INVITE_PREFIX) for mark in marks), "what begins so is the hash of no code"
    taken = renew_code(Invite.objects.usable(timezone.now())[0].pk, alice())
    seed("--clear")
    assert Invite.objects.get() == taken


def test_a_second_run_adds_nothing_and_says_what_is_there() -> None:
    seed()
    before = everything()
    assert "already" in seed("--seed=2", people=50)
    assert everything() == before


def test_production_refuses(settings: Any) -> None:
    settings.ENVIRONMENT = "production"
    with pytest.raises(CommandError, match="production"):
        seed("--yes")
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "options", [{"days": 0}, {"days": 366}, {"people": 0}, {"people": 5_001}, {"days": 365, "people": 600}]
)
def test_a_number_out_of_range_is_refused(options: dict[str, int]) -> None:
    with pytest.raises(CommandError, match="must be 1 to"):
        seed(**options)


def test_real_people_are_not_mixed_with_made_up_ones_unless_told_so() -> None:
    ensure_demo()
    User.objects.create_superuser(DEMO_OWNER_NUMBER, "a password")
    seed()
    seed("--clear")
    whitelisted(ALICE)
    with pytest.raises(CommandError, match=r"already \(1\)"):
        seed()
    assert "people" in seed("--yes")


def with_a_customer() -> User:
    """Return a real person with a row in every table, whose number is one that people use in examples."""
    person = whitelisted(STRANGER, name="Real")
    bot = BotFactory.create(slug="demo")
    Identity.objects.create(user=person, channel="whatsapp", address="US.1349")
    message = InboundFactory.create(bot=bot, address=STRANGER, state=State.DONE)
    OutboundMessage.objects.create(bot=bot, address=STRANGER, turn_key=message.pk, part=0, status=Status.SENT)
    Lease.objects.create(bot=bot, address=STRANGER, expires_at=timezone.now())
    AccessRequest.objects.create(bot=bot, address="+12025550133")
    Invite.objects.create(digest="a", person=person, expires_at=timezone.now() + timedelta(days=1))
    Conversation.objects.add_message(Conversation.objects.find_or_create(person, "demo"), "user", "Hello")
    spend(person, "demo", "1" * 32, 700)
    return person


def spend(person: User | None, bot: str, call_id: str, micros: int) -> None:
    UsageRecord.objects.create(
        user=person, bot=bot, model="gpt-6-luna", input_tokens=1, output_tokens=1, cost_micros=micros, call_id=call_id,
        budget_micros=micros, budget_day=today(),
    )  # fmt: skip
    pk = person.pk if person else None
    budgets.settle([budgets.Spent(1, 1, pk, bot, micros, today(), has_reserved=False)])


def test_clear_removes_all_of_it_and_leaves_a_real_persons_rows_as_they_were() -> None:
    with_a_customer()
    before = everything()
    seed("--yes")
    assert everything() != before
    output = seed("--clear")
    assert everything() == before
    assert "usage records" in output
    assert "no demo data" in seed("--clear")


def test_what_a_real_person_has_spent_with_a_seeded_bot_stays_in_the_sums() -> None:
    seed()
    person = whitelisted(ALICE)
    slug = seeded_bots()[0].slug
    spend(person, slug, "2" * 32, 900)
    Conversation.objects.add_message(Conversation.objects.find_or_create(person, slug), "user", "Hello")
    InboundFactory.create(bot=seeded_bots()[0], address=ALICE)
    seed("--clear")
    assert UsageRecord.objects.get().user == person
    assert sums_of_days("user", rows=DailySpend.objects.all()) == {
        (person.pk, today()): 900,
        (None, today()): 900,
    }
    assert not InboundMessage.objects.exists()


def test_who_became_somebody_is_not_removed() -> None:
    seed()
    given_a_password, moved = User.objects.order_by("pk")[:2]
    given_a_password.set_password("a password of their own")
    given_a_password.save()
    User.objects.filter(pk=moved.pk).update(phone_number=ALICE)
    seed("--clear")
    assert {*User.objects.all()} == {given_a_password, moved}


def test_what_was_detached_from_an_erased_person_goes_too() -> None:
    seed()
    person = User.objects.filter(usage_records__isnull=False).first()
    assert person
    UsageRecord.objects.detach(person)
    person.delete()
    seed("--clear")
    assert not UsageRecord.objects.exists()
    assert not DailySpend.objects.exists()


def test_days_that_were_purged_do_not_come_back_below_nothing() -> None:
    seed()
    DailySpend.objects.filter(day__lt=today() - timedelta(days=4)).delete()
    seed("--clear")
    assert not DailySpend.objects.exists()


def test_a_dead_letter_can_be_replayed() -> None:
    seed()
    dead = InboundMessage.objects.filter(state=State.DEAD, error_code="INTERNAL_ERROR")[0]
    assert dead.payload["text"]
    assert recovery.replay([dead.pk])
