"""The report's page and its file: what they show, where they lead, who may see them, and how many queries they take."""

from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from usage.retention import cleanup_old_usage_metrics
from usage.tests.reporting.asking import REPORT, links, page, rows, some_usage
from usage.tests.usages import call
from users.tests.factories import alice, bob

pytestmark = [pytest.mark.usefixtures("at_noon"), pytest.mark.database, pytest.mark.django_db]

EXPORT = reverse("admin:usage_report_export")
RECORDS = reverse("admin:usage_usagerecord_changelist")


@pytest.fixture(autouse=True)
def _as_alice(client: Client) -> None:
    client.force_login(alice())


def test_the_page_shows_the_sums_of_each_day_and_their_total(client: Client) -> None:
    some_usage()
    assert rows(page(client)) == [
        ["Day", "Cost", "Share", "Completions", "Input", "of it cached", "Output"],
        ["March 20, 2026", "$1.234567", "61.7 %", "1", "1,000", "400", "50"],
        ["March 17, 2026", "$0.765433 1 without a price", "38.3 %", "2", "20", "8", "6"],
        ["Total", "$2.000000 1 without a price", "100.0 %", "3", "1,020", "408", "56"],
    ]


def test_without_usage_it_says_so(client: Client) -> None:
    assert "Nothing was used." in page(client)


def test_every_day_is_a_bar_that_leads_to_it(client: Client) -> None:
    some_usage()
    html = page(client, days=7)
    assert html.count('<rect class="area"') == 7
    assert f"{REPORT}?days=7&day=2026-03-17&by=person" in links(html)
    assert "desk-plot" not in page(client, days=1)


def test_of_usage_without_records_it_says_so_and_leads_nowhere(client: Client) -> None:
    person = some_usage()
    cleanup_old_usage_metrics(2)
    html = page(client)
    assert "Of 2 calls that are older than 365 days only sums are kept" in html
    assert rows(html)[2][0] == "March 17, 2026 sums only"
    assert not [link for link in links(html) if link.startswith(RECORDS + "?") and "from=2026-03-17" in link]
    assert rows(page(client, by="person"))[2][0] == "Deleted people, and old days sums only"
    assert "Whose usage it was is known" not in page(client, person=person.pk)


def test_of_a_person_it_says_since_when_their_usage_is_known(client: Client, settings: Any) -> None:
    settings.USAGE_RETENTION_DAYS = 10
    person = some_usage()
    assert "Whose usage it was is known for 10 days." in page(client, person=person.pk)
    assert "Whose usage it was is known" not in page(client, person=person.pk, days=7)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("days=0", "A number of days from 1 to 366 is needed."),
        ("from=2026-03-02&to=2026-03-01", "The period ends before it begins."),
        ("from=x&to=2026-03-01", "A day is needed as year-month-day"),
        ("from=2020-01-01&to=2026-03-01", "A period has at most 366 days."),
        ("from=2027-01-01&to=2027-03-01", "The period is in the future."),
        ("by=colour", "by day, person, bot or model"),
        ("person=%00", "A person is named by the number of their row."),
        ("bot=%00", "No bot and no model has such a name."),
        ("day=2025-01-01", "The day 2025-01-01 is not in the period."),
    ],
)
def test_a_question_that_makes_no_sense_is_answered_with_the_reason(client: Client, query: str, says: str) -> None:
    for address in (REPORT, EXPORT):
        response = client.get(f"{address}?{query}")
        assert response.status_code == 400
        assert says in unescape(response.content.decode())


def test_a_name_that_is_html_is_text(client: Client) -> None:
    call(bob(name="<script>alert(1)</script>"), 1, 1, bot='"><script>', model="<img src=x>")
    for by in ("person", "bot", "model"):
        html = page(client, by=by)
        assert "<script>alert" not in html
        assert '"><script>' not in html
        assert "<img src=x>" not in html
