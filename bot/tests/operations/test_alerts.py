"""The owners are told how much of a day's budget is used: each share once, whoever looks and however often."""

import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sentry_sdk
import time_machine
from django.utils import timezone
from django.utils.functional import Promise
from django_q.conf import Conf
from django_q.models import Schedule
from sentry_sdk.transport import Transport

from bot.models import Bot
from bot.operations import alerts, schedules
from bot.operations.alerts import raise_alerts
from bot.tests.support.factories import BotFactory, InboundFactory, whitelisted
from config.logs.sentry import init_sentry
from usage import budgets
from usage.days import today
from usage.models import DailySpend, Reservation, SpendAlert
from usage.retention import cleanup_old_spends
from users.tests.together import together

pytestmark = [pytest.mark.promise("notices"), pytest.mark.django_db]

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
DOLLAR = 1_000_000


class Owners:
    """Whoever would be written to: what they got, by key."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str]] = []

    def __call__(self, key: str, text: str | Promise) -> int:
        self.got.append((key, str(text)))
        return 1

    @property
    def texts(self) -> list[str]:
        return [text for _key, text in self.got]


@pytest.fixture
def owners() -> Owners:
    return Owners()


@pytest.fixture(autouse=True)
def _noon() -> Any:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture(autouse=True)
def _budget(settings: Any) -> None:
    settings.DAILY_BUDGET_MICROS = 10 * DOLLAR


def spend(micros: int, bot: str = "", reserved: int = 0) -> None:
    """Set what was spent today, by everybody with one bot or with all."""
    DailySpend.objects.update_or_create(
        user=None, bot=bot, day=today(), defaults={"spent_micros": micros, "reserved_micros": reserved}
    )


def refuse(bot: Bot, code: str = "GLOBAL_BUDGET_EXCEEDED", **fields: Any) -> None:
    InboundFactory.create(**{"bot": bot, "state": "done", "error_code": code, "received_at": timezone.now(), **fields})


def test_the_owners_read_once_how_much_is_used(owners: Owners, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    for spent in (4_999_999, 5_120_000, 6_000_000, 8_000_000, 9_999_999, 10_020_000, 11_000_000):
        spend(spent)
        raise_alerts(owners)
        raise_alerts(owners)
    assert owners.got == [
        ("budget:everybody:2026-03-10:50", "50 % of today's budget of $10.00 is used ($5.12)."),
        ("budget:everybody:2026-03-10:80", "80 % of today's budget of $10.00 is used ($8.00)."),
        (
            "budget:everybody:2026-03-10:100",
            "Today's budget of $10.00 is used ($10.02). "
            "The budget is used up: nobody is answered until tomorrow 00:00 (Europe/Berlin).",
        ),
    ]


def test_a_jump_is_one_alert_and_the_lower_shares_are_not_raised_later(owners: Owners) -> None:
    spend(4 * DOLLAR)
    assert raise_alerts(owners) == 0
    spend(10 * DOLLAR)
    assert raise_alerts(owners) == 1
    spend(8 * DOLLAR)  # an unknown cost was found to be lower
    assert raise_alerts(owners) == 0
    assert [key for key, _ in owners.got] == ["budget:everybody:2026-03-10:100"]


def test_another_day_begins_anew(owners: Owners) -> None:
    spend(5 * DOLLAR)
    raise_alerts(owners)
    with time_machine.travel(NOON + timedelta(days=1), tick=False):
        assert raise_alerts(owners) == 0
        spend(5 * DOLLAR)
        assert raise_alerts(owners) == 1


def test_a_bots_budget_is_its_own(owners: Owners, settings: Any) -> None:
    settings.DAILY_BUDGET_MICROS = None
    BotFactory.create(slug="shop", name="Shop", daily_budget_micros=2 * DOLLAR)
    BotFactory.create(slug="desk", name="Desk", daily_budget_micros=2 * DOLLAR)
    BotFactory.create(slug="free", name="Free")
    BotFactory.create(slug="off", name="Off", daily_budget_micros=1, is_active=False)
    for bot in ("shop", "free", "off", ""):
        spend(int(1.6 * DOLLAR), bot)
    DailySpend.objects.create(user=whitelisted("+491711234567"), bot="", day=today(), spent_micros=99 * DOLLAR)
    raise_alerts(owners)
    assert owners.got == [("budget:shop:2026-03-10:80", "Shop: 80 % of today's budget of $2.00 is used ($1.60).")]


def test_what_one_person_has_spent_is_not_taken_for_everybodys(owners: Owners) -> None:
    DailySpend.objects.create(user=whitelisted("+491711234567"), day=today(), spent_micros=99 * DOLLAR)
    assert raise_alerts(owners) == 0


def test_without_budgets_nothing_is_raised(owners: Owners, settings: Any) -> None:
    settings.DAILY_BUDGET_MICROS = None
    spend(99 * DOLLAR)
    assert raise_alerts(owners) == 0


def test_a_budget_that_is_too_small_for_another_answer_is_used_up(owners: Owners, settings: Any) -> None:
    shop = BotFactory.create(slug="shop", name="Shop", daily_budget_micros=2 * DOLLAR)
    spend(9_900_000)
    spend(1_900_000, "shop")
    refuse(shop, received_at=timezone.now() - timedelta(days=1))
    raise_alerts(owners)
    assert [key.rpartition(":")[2] for key, _ in owners.got] == ["80", "80"]

    refuse(shop, "BOT_BUDGET_EXCEEDED")
    raise_alerts(owners)
    assert [key for key, _ in owners.got[2:]] == ["budget:shop:2026-03-10:100"]

    refuse(shop)
    raise_alerts(owners)
    assert [key for key, _ in owners.got[3:]] == ["budget:everybody:2026-03-10:100"]
    assert owners.texts[3].startswith("Today's budget of $10.00 is used ($9.90). The budget is used up")


def test_the_whole_inbox_is_not_searched_for_refusals(owners: Owners, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerts, "NEWEST_MESSAGES", 2)
    shop = BotFactory.create(slug="shop")
    spend(9_900_000)
    refuse(shop)
    InboundFactory.create_batch(2, bot=shop)
    raise_alerts(owners)
    assert [key.rpartition(":")[2] for key, _ in owners.got] == ["80"]


def test_looking_costs_few_queries_however_many_bots_there_are(owners: Owners, django_assert_num_queries: Any) -> None:
    for number in range(5):
        BotFactory.create(slug=f"bot-{number}", daily_budget_micros=2 * DOLLAR)
        spend(DOLLAR // 2, f"bot-{number}")
    with django_assert_num_queries(3):
        assert raise_alerts(owners) == 0
    spend(9 * DOLLAR)
    raise_alerts(owners)
    with django_assert_num_queries(4):
        assert raise_alerts(owners) == 0


def test_an_alert_that_cannot_be_handed_over_is_tried_again_and_holds_up_no_other(
    owners: Owners, caplog: pytest.LogCaptureFixture
) -> None:
    BotFactory.create(slug="shop", name="Shop", daily_budget_micros=2 * DOLLAR)
    spend(5 * DOLLAR)
    spend(DOLLAR, "shop")

    def fails_for_everybody(key: str, text: str | Promise) -> int:
        if "everybody" in key:
            raise RuntimeError
        return owners(key, text)

    assert raise_alerts(fails_for_everybody) == 1
    assert [record.message for record in caplog.records if record.levelno == logging.ERROR] == ["budget_alert_failed"]
    assert set(SpendAlert.objects.values_list("bot", flat=True)) == {"shop"}

    assert raise_alerts(owners) == 1
    assert [key for key, _ in owners.got] == ["budget:shop:2026-03-10:50", "budget:everybody:2026-03-10:50"]


def test_who_has_nobody_to_write_to_is_told_by_the_log(caplog: pytest.LogCaptureFixture) -> None:
    for spent in (5, 8, 10):
        spend(spent * DOLLAR)
        raise_alerts()
        raise_alerts()
    said = [vars(record) for record in caplog.records if record.message == "budget_alert"]
    assert [(one["levelname"], one["percent"], one["spent_micros"], one["cap_micros"]) for one in said] == [
        ("WARNING", 50, 5 * DOLLAR, 10 * DOLLAR),
        ("WARNING", 80, 8 * DOLLAR, 10 * DOLLAR),
        ("ERROR", 100, 10 * DOLLAR, 10 * DOLLAR),
    ]
    assert {one["budget"] for one in said} == {"everybody"}


@pytest.mark.django_db(transaction=True)
def test_of_many_schedulers_one_raises_each_alert(owners: Owners, caplog: pytest.LogCaptureFixture) -> None:
    for spent in (5, 10):
        spend(spent * DOLLAR)
        assert sorted(together(*[lambda: raise_alerts(owners)] * 8)) == [0] * 7 + [1]
    assert [key.rpartition(":")[2] for key, _ in owners.got] == ["50", "100"]
    assert len([record for record in caplog.records if record.message == "budget_alert"]) == 2


def test_a_lower_share_that_another_process_saw_is_not_raised_after_a_higher_one() -> None:
    claim = SpendAlert.objects.claim
    assert [claim("", today(), percent) for percent in (80, 50, 80, 100, 100)] == [True, False, False, True, False]
    assert claim("shop", today(), 50)
    assert not claim("shop", today(), 50)


def test_alerts_are_kept_as_long_as_spends() -> None:
    for days in (29, 30):
        SpendAlert.objects.create(day=today() - timedelta(days=days), percent=50)
        DailySpend.objects.create(day=today() - timedelta(days=days))
    assert cleanup_old_spends(30, dry_run=True) == 1
    assert SpendAlert.objects.count() == 2
    assert cleanup_old_spends(30) == 1
    assert SpendAlert.objects.get().day == today() - timedelta(days=29)


def test_budgets_are_watched_every_minute_and_what_an_operator_changed_stays() -> None:
    Schedule.objects.all().delete()
    schedules.ensure_schedules()
    schedule = Schedule.objects.get(name="watch budgets")
    assert (schedule.func, schedule.schedule_type, schedule.minutes) == (
        "bot.operations.schedules.every_minute",
        "I",
        1,
    )
    assert (schedule.repeats, schedule.args, schedule.kwargs) == (-1, None, None)
    Schedule.objects.filter(pk=schedule.pk).update(minutes=5)
    schedules.ensure_schedules()
    assert Schedule.objects.get(name="watch budgets").minutes == 5
    assert Conf.SAVE_LIMIT < 0, "a row for each success would be 1,440 a day"


def test_the_task_raises_alerts_and_gives_back_abandoned_reservations(caplog: pytest.LogCaptureFixture) -> None:
    spend(5 * DOLLAR)
    with time_machine.travel(NOON - timedelta(days=1), tick=False):
        budgets.reserve([budgets.Wanted(1, 1, whitelisted("+491711234567").pk, "shop", 10, None, None, None)])
    schedules.every_minute()
    assert not Reservation.objects.exists()
    assert "budget_alert" in [record.message for record in caplog.records]


def test_a_task_that_fails_leaves_no_row_and_does_the_rest(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def raise_alerts() -> int:
        raise RuntimeError

    monkeypatch.setattr(schedules, "raise_alerts", raise_alerts)
    with time_machine.travel(NOON - timedelta(days=1), tick=False):
        budgets.reserve([budgets.Wanted(1, 1, whitelisted("+491711234567").pk, "shop", 10, None, None, None)])
    schedules.every_minute()
    assert not Reservation.objects.exists()
    (record,) = [vars(record) for record in caplog.records if record.message == "minute_task_failed"]
    assert record["step"] == "raise_alerts"


def test_every_alert_is_one_report_to_sentry_with_its_level() -> None:
    envelopes: list[dict[str, Any]] = []

    class Capturing(Transport):
        def capture_envelope(self, envelope: Any) -> None:
            envelopes.extend(json.loads(item.payload.get_bytes()) for item in envelope.items if item.type == "event")

    init_sentry("https://public@sentry.invalid/1", "production", transport=Capturing)
    try:
        for spent in (5, 8, 10):
            spend(spent * DOLLAR)
            raise_alerts()
            raise_alerts()
        sentry_sdk.flush()
    finally:
        sentry_sdk.get_client().close()
        sentry_sdk.get_global_scope().set_client(None)
    assert [event["level"] for event in envelopes] == ["warning", "warning", "error"]
    assert envelopes[0]["message"] == envelopes[2]["logentry"]["message"] == "budget_alert"
    assert envelopes[0]["contexts"]["budget"]["percent"] == 50
    assert envelopes[2]["extra"]["spent_micros"] == 10 * DOLLAR
