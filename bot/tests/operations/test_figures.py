"""What days come to: counted right, kept once they are over, and never lessened by what is purged or erased."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine

from bot.models import Bot, DailyFigures, InboundMessage, OutboundMessage
from bot.operations import schedules
from bot.operations.figures import bounds
from bot.operations.figures.days import count_day, inbound_of, quantiles
from bot.operations.figures.folding import SETTLING_DAYS, fold_minute, fold_night, held_days
from bot.operations.figures.history import history
from bot.operations.figures.late import late_days
from bot.operations.purge import purge_expired
from bot.tests.support.factories import ALICE, BOB, STRANGER, BotFactory
from bot.tests.support.figure_rows import call, message, reply, report_by_day
from usage.days import day_start, today
from usage.models import ClosedDay, UsageRecord
from usage.repricing import reprice
from usage.tests.factories import ModelPriceFactory

pytestmark = [pytest.mark.database, pytest.mark.django_db]

NOW = datetime(2026, 3, 11, 15, 40, tzinfo=UTC)
TODAY = NOW.date()
YESTERDAY = TODAY - timedelta(days=1)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def shop() -> Bot:
    return BotFactory.create(slug="shop")


@pytest.fixture
def kitchen() -> Bot:
    return BotFactory.create(slug="kitchen")


def kept(day: date = YESTERDAY, bot: str = "") -> DailyFigures:
    return DailyFigures.objects.get(day=day, bot=bot)


def test_messages_people_and_failures_of_a_day_are_counted(shop: Bot, kitchen: Bot) -> None:
    rows = [
        message(shop, NOON, took=2),
        message(shop, NOON, took=4, address=BOB),
        message(kitchen, NOON, took=6, address=BOB),
        message(shop, NOON, state="dead", error_code="INTERNAL_ERROR"),
        message(shop, NOON, state="done", error_code="RATE_LIMIT_EXCEEDED"),
        message(shop, NOON, state="done", error_code="RATE_LIMIT_EXCEEDED", address=BOB),
        message(shop, NOON, state="done", error_code="UNAUTHORIZED", address=STRANGER),
        message(shop, NOON, state="quarantined", error_code="INVALID_INPUT", address=""),
        message(shop, NOON),
    ]
    figures = count_day(YESTERDAY)
    assert (figures.received, figures.answered, figures.failed) == (9, 3, 4)
    assert figures.failures == {"INTERNAL_ERROR": 1, "RATE_LIMIT_EXCEEDED": 2, "INVALID_INPUT": 1}
    # Alice and Bob, whichever bot they wrote to; neither who was not let in, nor what came from nobody.
    assert figures.people == 2
    assert (figures.first_inbound, figures.last_inbound) == (rows[0].pk, rows[-1].pk)
    assert (count_day(YESTERDAY, kitchen).received, count_day(YESTERDAY, kitchen).people) == (1, 1)


def test_what_went_out_is_told_from_what_did_not_and_what_is_under_way(shop: Bot) -> None:
    for status in ("sent", "delivered", "read", "failed", "uncertain", "expired", "queued", "sending"):
        reply(shop, NOON, status)
    figures = count_day(YESTERDAY)
    assert (figures.sent, figures.unsent) == (3, 3)


def test_tokens_and_costs_are_those_of_the_days_calls_by_model(shop: Bot) -> None:
    for micros, model in ((100, "a"), (250, "a"), (7, "b"), (None, "unpriced")):
        call("shop", NOON, micros, model=model)
    call("kitchen", NOON, 1_000, model="a")
    figures = count_day(YESTERDAY)
    assert (figures.input_tokens, figures.output_tokens, figures.cost_micros) == (50, 25, 1_357)
    assert figures.costs == {"a": 1_350, "b": 7, "unpriced": 0}
    assert count_day(YESTERDAY, shop).cost_micros == 357


@pytest.mark.parametrize("sampled", [True, False])
def test_median_and_95th_percentile_are_times_of_answers_and_of_nothing_else(shop: Bot, sampled: bool) -> None:
    for second in range(1, 21):
        message(shop, NOON, took=second)
    message(shop, NOON, took=900, error_code="RATE_LIMIT_EXCEEDED")
    message(shop, NOON)
    figures = count_day(YESTERDAY, sampled=sampled)
    assert (figures.median_ms, figures.p95_ms) == (10_000, 19_000)


def test_quantiles_of_few_times() -> None:
    assert quantiles([]) == (None, None)
    assert quantiles([7]) == (7, 7)
    assert quantiles([9, 1]) == (1, 9)
    assert quantiles([3, 1, 2]) == (2, 3)


def test_an_empty_day_came_to_nothing() -> None:
    figures = count_day(YESTERDAY)
    assert (figures.received, figures.people, figures.median_ms, figures.costs) == (0, 0, None, {})


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/Los_Angeles", "America/Santiago"])
def test_a_day_begins_and_ends_at_the_installations_midnight(zone: str, shop: Bot, settings: Any) -> None:
    settings.TIME_ZONE = zone
    start, end = day_start(YESTERDAY), day_start(YESTERDAY + timedelta(days=1))
    instant = timedelta(microseconds=1)
    for at in (start - instant, start, end - instant, end):
        message(shop, at, took=1)
        reply(shop, at)
        call("shop", at)
    figures = count_day(YESTERDAY)
    assert (figures.received, figures.sent, figures.cost_micros) == (2, 2, 200)


def test_a_day_whose_clock_is_turned_has_its_25_hours(shop: Bot, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    for hour in range(26):
        message(shop, datetime(2025, 10, 25, 21, 30, tzinfo=UTC) + timedelta(hours=hour))
    assert count_day(date(2025, 10, 26)).received == 25


def test_a_day_is_found_among_ids_with_gaps_without_reading_the_others(
    shop: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "NEAR", 3)
    for hour in range(24 * 4):
        at = day_start(YESTERDAY - timedelta(days=2)) + timedelta(hours=hour)
        message(shop, at, pk=1_000 + hour * 7)
    day = YESTERDAY - timedelta(days=1)
    first, last = bounds.ids_between(InboundMessage, "received_at", day_start(day), day_start(day + timedelta(days=1)))
    inside = set(inbound_of(day).values_list("pk", flat=True))
    assert inside == {1_000 + hour * 7 for hour in range(24, 48)}
    assert first is not None and last is not None
    assert 1_000 + 21 * 7 <= first <= min(inside) and max(inside) < last <= 1_000 + 51 * 7


def test_of_an_empty_table_every_id_may_be_meant() -> None:
    assert bounds.ids_between(OutboundMessage, "created_at", NOON, None) == (None, None)


def test_days_that_are_over_are_kept_with_each_bot_and_with_all(shop: Bot, kitchen: Bot) -> None:
    message(shop, NOON, took=2)
    message(kitchen, NOON, took=4, address=BOB)
    call("kitchen", NOON, 300)
    assert fold_minute() == len(held_days()) == 7
    assert {row.bot for row in DailyFigures.objects.filter(day=YESTERDAY)} == {"", "shop", "kitchen"}
    assert (kept().received, kept().people, kept().cost_micros, kept().is_over) == (2, 2, 300, True)
    assert (kept(bot="kitchen").received, kept(bot="kitchen").median_ms) == (1, 4_000)
    # Nothing happened on the day before: no bot has a row.
    assert {row.bot for row in DailyFigures.objects.filter(day=YESTERDAY - timedelta(days=1))} == {""}
    assert fold_minute() == 0


def test_keeping_them_twice_changes_nothing(shop: Bot) -> None:
    message(shop, NOON, took=2)
    fold_night()
    before = list(DailyFigures.objects.filter(is_over=True).order_by("pk").values_list())
    fold_night()
    assert list(DailyFigures.objects.filter(is_over=True).order_by("pk").values_list()) == before


def test_a_day_that_was_missed_is_kept_as_long_as_its_messages_are_there(
    shop: Bot, clock: time_machine.Traveller
) -> None:
    message(shop, NOON, took=2)
    clock.move_to(NOON + timedelta(days=7))
    fold_minute()
    assert kept().received == 1


def test_a_day_some_of_whose_messages_are_gone_is_not_counted_any_more(
    shop: Bot, clock: time_machine.Traveller
) -> None:
    message(shop, NOON, took=2)
    call("shop", NOON, 300)
    clock.move_to(NOON + timedelta(days=8))
    fold_minute()
    assert not DailyFigures.objects.filter(day=YESTERDAY).exists()
    # What it has cost is known still, and kept by night; of its messages nothing is said.
    fold_night()
    assert (kept().has_messages, kept().received, kept().cost_micros) == (False, 0, 300)
    day = next(day for day in history().days if day.day == YESTERDAY)
    assert (day.has_messages, day.cost_micros) == (False, 300)


def test_the_purge_keeps_the_figures_first(shop: Bot, clock: time_machine.Traveller) -> None:
    message(shop, NOON, took=2)
    reply(shop, NOON)
    clock.move_to(day_start(YESTERDAY + timedelta(days=7)) + timedelta(hours=3, minutes=30))
    purge_expired()
    assert (kept().received, kept().sent) == (1, 1)
    clock.move_to(NOON + timedelta(days=8, hours=1))
    purge_expired()
    assert not InboundMessage.objects.exists()
    assert (kept().received, kept().sent, kept().median_ms) == (1, 1, 2_000)


def test_a_dry_run_keeps_nothing(shop: Bot) -> None:
    message(shop, NOON, took=2)
    purge_expired(dry_run=True)
    assert not DailyFigures.objects.exists()


def test_figures_that_cannot_be_kept_keep_nothing_from_being_deleted(
    shop: Bot, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    message(shop, NOW - timedelta(days=9), took=2)
    monkeypatch.setattr("bot.operations.figures.folding.count_day", lambda *given, **named: 1 / 0)
    with pytest.raises(schedules.TaskFailed, match="not purged: figures"):
        schedules.purge()
    assert not InboundMessage.objects.exists()
    assert "fold_failed" in [record.message for record in caplog.records]


@pytest.mark.parametrize(
    "lose",
    [
        lambda: InboundMessage.objects.filter(address=ALICE).delete(),
        lambda: OutboundMessage.objects.filter(address=ALICE).delete(),
        lambda: UsageRecord.objects.all().delete(),
    ],
    ids=["inbox", "outbox", "usage"],
)
def test_what_is_erased_later_lessens_no_figure(shop: Bot, lose: Callable[[], Any]) -> None:
    message(shop, NOON, took=2)
    message(shop, NOON, took=3, address=BOB)
    reply(shop, NOON)
    call("shop", NOON)
    fold_night()
    before = list(DailyFigures.objects.filter(is_over=True).order_by("pk").values_list())
    lose()
    fold_night()
    assert list(DailyFigures.objects.filter(is_over=True).order_by("pk").values_list()) == before


def test_what_ends_after_midnight_is_counted_by_night(shop: Bot) -> None:
    late = message(shop, day_start(TODAY) - timedelta(seconds=1))
    fold_minute()
    assert (kept().received, kept().answered) == (1, 0)
    InboundMessage.objects.filter(pk=late.pk).update(state="done", finished_at=day_start(TODAY))
    fold_minute()
    assert kept().answered == 0
    fold_night()
    assert (kept().answered, kept().median_ms) == (1, 1_000)
    assert len(held_days()) > SETTLING_DAYS


@pytest.mark.parametrize("fold", [fold_minute, fold_night])
def test_rows_that_come_late_are_counted_by_the_next_fold(shop: Bot, kitchen: Bot, fold: Callable[[], int]) -> None:
    message(shop, NOON - timedelta(days=1), took=2)
    message(shop, NOW, took=2)
    fold_night()
    assert [day.received for day in history().days[-5:]] == [0, 0, 1, 0, 1]
    for ago, bot in ((2, shop), (2, kitchen), (1, kitchen)):
        message(bot, NOON - timedelta(days=ago), took=4)
        call(bot.slug, NOON - timedelta(days=ago), 300)
    reply(shop, NOON - timedelta(days=4))
    # What goes on meanwhile does not hide them.
    message(shop, NOW, took=2)
    fold()
    assert [day.received for day in history().days[-5:]] == [0, 2, 2, 0, 2]
    assert [day.cost_micros for day in history().days[-5:]] == [0, 600, 300, 0, 0]
    assert [day.received for day in history(kitchen).days[-5:-1]] == [0, 1, 1, 0]
    assert kept(YESTERDAY - timedelta(days=4)).sent == 1
    assert fold_minute() == 0


def test_what_days_have_cost_is_by_night_what_the_report_says(shop: Bot) -> None:
    for ago in (3, 12):
        message(shop, NOW - timedelta(days=ago), took=2)
        call("shop", NOW - timedelta(days=ago), None, model="house")
    DailyFigures.objects.store([{"day": TODAY - timedelta(days=12), "bot": "", "received": 1, "input_tokens": 10}])
    fold_night()
    ModelPriceFactory.create(model="house")
    call("shop", NOW - timedelta(days=14), 50)
    ClosedDay.objects.reopen([TODAY - timedelta(days=14)])
    assert reprice().records == 2
    fold_night()
    past, report = history(), report_by_day(30)
    assert {day.day: day.cost_micros for day in past.days if day.costs} == report
    assert past.total("cost_micros") == sum(report.values()) > 50
    assert [day.received for day in past.days if day.costs] == [0, 1, 1]
    assert [day.has_messages for day in past.days if day.costs] == [False, True, True]
    assert history(shop).total("cost_micros") == sum(report.values())


def test_late_rows_that_were_committed_after_newer_ones_were_counted_are_noticed(shop: Bot) -> None:
    fold_minute()
    message(shop, NOW, pk=1_000)
    fold_minute()
    message(shop, NOON - timedelta(days=3), pk=900)
    assert fold_minute() == 1
    assert kept(YESTERDAY - timedelta(days=3)).received == 1


def test_late_rows_of_a_day_of_which_others_are_gone_lessen_no_figure(shop: Bot) -> None:
    early = [message(shop, NOON, took=2) for _ in range(3)]
    fold_minute()
    InboundMessage.objects.filter(pk__in=[row.pk for row in early]).delete()
    message(shop, NOON, took=2)
    fold_minute()
    assert kept().received == 3


def test_a_minute_without_late_rows_counts_no_day_that_is_over(shop: Bot, django_assert_num_queries: Any) -> None:
    for ago in range(5):
        message(shop, NOON - timedelta(days=ago), took=2)
    fold_minute()
    with django_assert_num_queries(3):
        assert late_days(held_days()) == set()
    assert fold_minute() == 0


def test_today_is_kept_as_it_goes_on_and_replaced_when_it_is_over(shop: Bot, clock: time_machine.Traveller) -> None:
    row = message(shop, NOW - timedelta(hours=1), took=2)
    message(shop, NOW - timedelta(hours=1), took=2)
    fold_minute()
    assert (kept(TODAY).received, kept(TODAY).is_over) == (2, False)
    # While it goes on, it is what is there.
    row.delete()
    fold_minute()
    assert kept(TODAY).received == 1
    clock.move_to(NOW + timedelta(days=1))
    fold_minute()
    assert (kept(TODAY).received, kept(TODAY).is_over) == (1, True)


def test_a_count_of_a_day_that_went_on_comes_too_late_once_it_is_over(shop: Bot) -> None:
    message(shop, NOON, took=2)
    fold_night()
    row = {"day": YESTERDAY, "bot": "", "received": 5, "is_over": False}
    assert DailyFigures.objects.store([row]) == 0
    assert (kept().received, kept().is_over) == (1, True)


def test_the_page_believes_what_was_just_kept_of_today_and_counts_for_itself_what_is_older(
    shop: Bot, clock: time_machine.Traveller, django_assert_num_queries: Any
) -> None:
    message(shop, NOW - timedelta(hours=1), took=2)
    fold_minute()
    message(shop, NOW, took=2)
    with django_assert_num_queries(1):
        assert history().today.received == 1
    clock.move_to(NOW + timedelta(minutes=4))
    assert history().today.received == 2


def test_days_without_figures_are_counted_if_they_are_today_or_yesterday(shop: Bot) -> None:
    for ago in range(4):
        message(shop, NOW - timedelta(days=ago), took=2)
    past = history()
    assert [day.received for day in past.days[-4:]] == [0, 0, 1, 1]
    assert past.waiting == 6
    assert [day.has_messages for day in past.days[-4:]] == [False, False, True, True]
    fold_minute()
    past = history()
    assert ([day.received for day in past.days[-4:]], past.waiting) == ([1, 1, 1, 1], 0)
    assert [day.day for day in past.days] == [TODAY - timedelta(days=ago) for ago in reversed(range(30))]


def test_a_bots_days_without_anything_are_days_of_nothing(shop: Bot, kitchen: Bot) -> None:
    message(shop, NOON, took=2)
    fold_minute()
    past = history(kitchen)
    assert (past.total("received"), past.waiting, past.today.day) == (0, 0, today())
    assert past.days[-2].has_messages and history(shop).days[-2].received == 1


def test_the_task_of_every_minute_keeps_them(shop: Bot) -> None:
    message(shop, NOON, took=2)
    schedules.every_minute()
    assert kept().received == 1
