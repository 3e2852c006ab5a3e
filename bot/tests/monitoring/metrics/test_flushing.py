"""Metrics: counted once and after the commit, added up by the database, shown to who may see them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from bot.channels.base import RejectedItem, SendError, StatusEvent
from bot.errors import AppError, ErrorCode
from bot.models import Counter, InboundMessage, OutboundMessage
from bot.monitoring.metrics import count, flush, memory, observe, views
from bot.monitoring.metrics.definitions import COUNTERS, GAUGES, exposed_name
from bot.monitoring.metrics.memory import MOST_VALUES, OTHER, Pending
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import ALICE, STRANGER, BotFactory, InboundFactory, event
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, work_until

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

OPERATIONS = Path(__file__).resolve().parents[4] / "docs" / "operations"


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    memory.pending.take()
    views.forget()


def scrape(client: Client, **headers: str) -> Any:
    views.forget()
    return client.get("/metrics", headers=headers)


def samples(client: Client) -> dict[tuple[str, ...], float]:
    """Return every sample that is not 0: (name, label values…) → value, without the prefix."""
    text = scrape(client).content.decode()
    return {
        (sample.name.removeprefix("parley_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.value
    }


# --- counting ---


def test_what_was_counted_is_added_to_the_table_once(client: Client) -> None:
    count("turns", outcome="answered")
    count("turns", 2, outcome="answered")
    flush()
    flush()
    count("turns", outcome="answered")
    flush()
    assert list(Counter.objects.values_list("name", "labels", "value")) == [("turns", '{"outcome": "answered"}', 4)]


def test_a_flush_that_fails_keeps_what_was_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **options: object) -> None:
        count("turns", outcome="dead")  # meanwhile
        raise OperationalError("away")

    count("turns", outcome="dead")
    with monkeypatch.context() as patched:
        patched.setattr("bot.monitoring.metrics.flushing.insert_rows", fail)
        with pytest.raises(OperationalError):
            flush()
    flush()
    assert Counter.objects.get().value == 2


def test_labels_must_be_those_of_the_definition() -> None:
    with pytest.raises(ValueError, match="turns has the labels"):
        count("turns", code="x")
    with pytest.raises(KeyError):
        count("unheard_of")
    with pytest.raises(ValueError, match="no histogram"):
        observe("turns", 1.0, outcome="x")


def test_a_labels_values_are_cut_off_and_bounded() -> None:
    own = Pending()
    for number in range(MOST_VALUES + 5):
        own.add("input_tokens", {"model": f"{number}-" + "x" * 1000 + "\0"}, 1)
    rows = own.take()
    assert len(rows) == MOST_VALUES + 1
    assert rows["input_tokens", json.dumps({"model": OTHER})] == 5
    assert max(len(labels) for _, labels in rows) < 100


def test_durations_stand_in_every_bucket_that_holds_them(client: Client) -> None:
    for seconds in (0.25, 0.3, 59.9, 1000.0):
        observe("model_seconds", seconds, model="m")
    found = samples(client)
    buckets = [found.get(("model_seconds_bucket", bound, "m"), 0) for bound in ("0.25", "0.5", "45.0", "60.0", "+Inf")]
    assert buckets == [1, 2, 2, 3, 4]
    assert found["model_seconds_count", "m"] == 4
    assert found["model_seconds_sum", "m"] == pytest.approx(1060.45)


def test_rows_of_a_metric_that_is_no_more_are_passed_over(client: Client) -> None:
    Counter.objects.create(name="long_gone", labels="{}", value=1)
    Counter.objects.create(name="turns", labels='{"other": "label"}', value=1)
    assert not {name for name, *_ in samples(client)} & {"long_gone", "turns_total"}


# --- what is counted ---


def test_messages_are_counted_by_bot_and_kind_and_redeliveries_apart(client: Client, bot: ActiveBot) -> None:
    accept.accept(bot, [event("one"), event("two", kind="image"), RejectedItem("no id")], b"body")
    accept.accept(bot, [event("two", kind="image"), event("three"), event("three")], b"other")
    found = samples(client)
    assert found["messages_received_total", "shop", "text"] == 2
    assert found["messages_received_total", "shop", "image"] == 1
    assert found["messages_redelivered_total", "shop"] == 2
    assert found["messages_quarantined_total", "shop"] == 1


def test_refused_webhooks_are_counted_by_code(client: Client) -> None:
    for _ in range(2):
        assert client.post("/webhooks/whatsapp/nobodys/", b"{}", content_type="application/json").status_code == 403
    assert samples(client)["webhooks_refused_total", "UNAUTHORIZED"] == 2


def test_a_turn_counts_its_outcome_its_tokens_its_send_and_how_long_it_took(
    client: Client, bot: ActiveBot, alice: Any, settings: Any
) -> None:
    settings.LLM_PROVIDER = "openai"  # whose prices are known
    accept.accept(bot, [event("one")])
    work_until()
    found = samples(client)
    model = "gpt-6-luna"
    assert found["turns_total", "answered"] == 1
    assert found["deliveries_total", "sent"] == 1
    assert (found["input_tokens_total", model], found["output_tokens_total", model]) == (100, 20)
    assert found["cost_dollars_total", model] > 0
    assert found["model_seconds_count", model] == 1
    assert found["reply_seconds_count",] == 1
    assert 0 < found["reply_seconds_sum",] < 15
    assert not [name for name, *_ in found if name.startswith(("failures", "refusals"))]


def test_turns_that_fail_or_are_refused_are_told_apart(
    client: Client, bot: ActiveBot, alice: Any, model: ScriptedModel, settings: Any
) -> None:
    settings.REDIS_URL, settings.RATE_LIMIT_PER_USER = None, 1
    model.enqueue(AppError(ErrorCode.OPENAI_API_ERROR, "down"))
    accept.accept(bot, [event("one"), event("two", address=STRANGER)])
    worker = work_until(model=model)
    assert worker
    settings.RATE_LIMIT_PER_USER = 1
    accept.accept(bot, [event("three", kind="image", text="")])
    work_until(model=model)
    found = samples(client)
    assert found["turns_total", "failed"] == 1
    assert found["failures_total", "OPENAI_API_ERROR"] == 1
    assert found["turns_total", "refused"] == 2
    assert found["refusals_total", "stranger"] == 1
    assert found["refusals_total", "unsupported"] == 1


@pytest.mark.parametrize(
    ("error", "outcome", "status"),
    [
        (SendError("131000", uncertain=True), "uncertain", "uncertain"),
        (SendError("131000", retryable=False), "dead", "failed"),
    ],
)
def test_sends_that_fail_are_counted(
    client: Client, bot: ActiveBot, alice: Any, channel: ScriptedChannel, error: SendError, outcome: str, status: str
) -> None:
    channel.enqueue(error)
    accept.accept(bot, [event("one")])
    work_until()
    found = samples(client)
    assert found["turns_total", outcome] == 1
    assert found["deliveries_total", status] == 1
    assert ("reply_seconds_count",) not in found


def test_a_status_counts_when_it_moves_something_and_is_committed(client: Client, bot: ActiveBot) -> None:
    sent = OutboundMessage.objects.create(
        bot_id=bot.id, address=ALICE, turn_key=1, part=1, text="x", status="sent", external_id="wamid.1"
    )
    status = StatusEvent(status="delivered", external_id="wamid.1")
    for _ in range(3):
        accept.accept(bot, [status])
    with transaction.atomic():
        accept.accept(bot, [StatusEvent(status="read", external_id="wamid.1")])
        transaction.set_rollback(True)
    sent.refresh_from_db()
    assert sent.status == "delivered"
    assert {key: value for key, value in samples(client).items() if key[0] == "deliveries_total"} == {
        ("deliveries_total", "delivered"): 1
    }


def test_gauges_are_read_from_the_tables(client: Client, settings: Any) -> None:
    settings.DAILY_BUDGET_MICROS = 5_000_000
    bot = BotFactory.create(slug="shop")
    InboundFactory.create(bot=bot)
    InboundFactory.create_batch(2, bot=bot, state=InboundMessage.State.DEAD)
    OutboundMessage.objects.create(bot=bot, address=ALICE, turn_key=1, part=1, status="uncertain")
    found = samples(client)
    assert found["waiting_messages",] == 1
    assert found["dead_letters",] == 2
    assert found["uncertain_sends",] == 1
    assert found["budget_cap_dollars",] == 5


# --- who may see them ---


def test_without_a_token_only_this_machine_is_answered(client: Client) -> None:
    assert scrape(client).status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="::1").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="::ffff:127.0.0.1").status_code == 200
    for address in ("10.0.0.1", "", "unix:"):
        response = client.get("/metrics", REMOTE_ADDR=address)
        assert response.status_code == 403
        assert b"METRICS_TOKEN" in response.content


def test_in_production_nobody_is_answered_without_a_token_not_even_this_machine(client: Client, settings: Any) -> None:
    settings.PRODUCTION = True
    response = scrape(client)
    assert (response.status_code, b"METRICS_TOKEN is required" in response.content) == (403, True)
    assert scrape(client, authorization="Bearer ").status_code == 403
    settings.METRICS_TOKEN = "a-long-token"
    assert scrape(client).status_code == 401
    assert scrape(client, authorization="Bearer a-long-token").status_code == 200


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Anything", "Forwarded", "X-Real-IP", "Via"]
)
def test_what_came_through_a_proxy_is_not_from_this_machine(client: Client, header: str) -> None:
    assert scrape(client, **{header: "127.0.0.1"}).status_code == 403


def test_with_a_token_it_must_be_sent_wherever_one_is(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = "a-long-token"
    assert scrape(client).status_code == 401
    assert scrape(client, authorization="Basic a-long-token").status_code == 401
    assert scrape(client, authorization="Bearer another").status_code == 403
    response = client.get("/metrics", headers={"authorization": "Bearer a-long-token"}, REMOTE_ADDR="10.0.0.1")
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain; version=0.0.4")
    assert scrape(client, authorization="Bearer ü").status_code == 403


def test_without_a_database_it_is_503_and_says_nothing_else(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OperationalError("canary-detail")

    monkeypatch.setattr(views, "flush", fail)
    response = scrape(client)
    assert (response.status_code, response.content) == (503, b"the database does not answer\n")
    assert not connection.in_atomic_block


def test_a_second_scrape_within_seconds_asks_nothing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    first = scrape(client).content
    monkeypatch.setattr(views, "_ask", lambda: b"asked again")
    assert client.get("/metrics").content == first
    assert scrape(client).content == b"asked again"


# --- what is written down ---

NAME = re.compile(r"\bparley_[a-z_]+")


def exposed() -> set[str]:
    """Return every name a query may use."""
    names = {exposed_name(name) for name in (*COUNTERS, *GAUGES)}
    histograms = {f"parley_{name}" for name, counted in COUNTERS.items() if counted.buckets}
    return names | {f"{name}_{part}" for name in histograms for part in ("bucket", "sum", "count")}


def test_the_table_of_metrics_is_that_of_the_code() -> None:
    rows = re.findall(
        r"^\| `(parley_\w+)` \| (\w+) \| (.*?) \| (.*?) \|$", (OPERATIONS / "metrics.md").read_text(), re.M
    )
    expected = [
        (exposed_name(name), "histogram" if one.buckets else "counter", one.labels, one.help)
        for name, one in COUNTERS.items()
    ] + [(exposed_name(name), "gauge", one.labels, one.help) for name, one in GAUGES.items()]
    written = [(name, kind, tuple(re.findall(r"`(\w+)`", labels)), told) for name, kind, labels, told in rows]
    assert written == expected


@pytest.mark.parametrize("file", ["grafana-dashboard.json", "alerts.yml", "alerts_test.yml", "metrics.md", "health.md"])
def test_whatever_is_named_there_exists(file: str) -> None:
    named = set(NAME.findall((OPERATIONS / file).read_text()))
    assert named - exposed() == set()


def test_the_dashboard_shows_every_metric_and_names_no_datasource_of_ours() -> None:
    text = (OPERATIONS / "grafana-dashboard.json").read_text()
    shown = {re.sub("_(bucket|sum|count)$", "", name) for name in NAME.findall(text)}
    assert shown == {exposed_name(name) for name in (*COUNTERS, *GAUGES)}
    dashboard = json.loads(text)
    sources = {panel["datasource"]["uid"] for panel in dashboard["panels"] if "datasource" in panel}
    assert sources == {"${datasource}"}
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
