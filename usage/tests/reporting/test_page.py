"""The report's page and its file: what they show, where they lead, who may see them, and how many queries they take."""

import csv
import io
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.urls import reverse

from usage.reporting import table as tables
from usage.retention import cleanup_old_usage_metrics
from usage.tests.usages import NOON, call, everything
from users.permissions import ROLE_PERMISSIONS, Permission
from users.roles import Role
from users.tests.factories import UserFactory, alice, bob, charlie

pytestmark = [pytest.mark.database, pytest.mark.django_db]

REPORT = reverse("admin:usage_report")
EXPORT = reverse("admin:usage_report_export")
RECORDS = reverse("admin:usage_usagerecord_changelist")


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture(autouse=True)
def _as_alice(client: Client) -> None:
    client.force_login(alice())


def page(client: Client, **asked: Any) -> str:
    response = client.get(REPORT, {name.rstrip("_"): value for name, value in asked.items()})
    assert response.status_code == 200
    return response.content.decode()


def rows(html: str) -> list[list[str]]:
    """Return the cells of the table as texts."""
    table = html[html.index("<thead>") : html.index("</table>")]
    found = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
    cells = (re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in found)
    return [[" ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split()) for cell in row] for row in cells]


def links(html: str) -> list[str]:
    return [unescape(href) for href in re.findall(r'href="([^"]+)"', html)]


def exported(client: Client, **asked: Any) -> list[list[str]]:
    response = client.get(EXPORT, {name.rstrip("_"): value for name, value in asked.items()})
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response.streaming
    text = b"".join(response).decode()
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:], newline="")))


def some_usage() -> Any:
    person = bob(name="Anna")
    call(person, 0, 1_234_567, input_tokens=1_000, cached_input_tokens=400, output_tokens=50)
    call(person, 3, 765_433, bot="desk", model="large")
    call(charlie(), 3, None, model="house")
    return person


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


def test_a_day_leads_to_its_people_a_person_to_their_models_and_a_model_to_the_records(client: Client) -> None:
    person = some_usage()
    day = next(link for link in links(page(client)) if "day=2026-03-17" in link)
    of_day = client.get(day).content.decode()
    assert [row[0].split(" ")[0] for row in rows(of_day)] == ["Person", "Anna", "Charlie", "Total"]
    of_person = next(link for link in links(of_day) if f"person={person.pk}" in link and link.startswith(REPORT))
    html = client.get(of_person).content.decode()
    assert [row[0] for row in rows(html)] == ["Model", "large", "Total"]
    records = next(link for link in links(html) if link.startswith(RECORDS) and "model=large" in link)
    assert f"from=2026-03-17&to=2026-03-17&person={person.pk}&model=large" in records
    (record,) = client.get(records).context["cl"].result_list
    assert record.cost_micros == 765_433


def test_the_way_back_is_shown_step_by_step(client: Client) -> None:
    person = some_usage()
    html = page(client, days=30, day="2026-03-17", person=person.pk, by="model")
    crumbs = html[html.index('class="usage-crumbs"') :].partition("</ol>")[0]
    assert links(crumbs) == [f"{REPORT}?days=30&by=day", f"{REPORT}?days=30&day=2026-03-17&by=person"]
    assert "Day: March 17, 2026" in crumbs
    assert f"Person: {person}" in crumbs


def test_the_records_behind_a_number_are_as_many_as_it_says(client: Client) -> None:
    some_usage()
    call(charlie(name="Eve"), 3, 5, kind="transcription")
    for by in ("day", "person", "bot", "model"):
        html = page(client, by=by)
        for row in re.findall(r"<tr>\s*<th scope=\"row\">.*?</tr>", html, re.DOTALL):
            cells = rows(f"<thead>{row}</table>")[0]
            behind = [link for link in links(row) if link.startswith(RECORDS)]
            answers = next(link for link in behind if "kind=completion" in link)
            assert client.get(answers).context["cl"].result_count == int(cells[3])
            unpriced = [link for link in behind if "cost=unknown" in link]
            assert bool(unpriced) == ("without a price" in cells[1])
            for link in unpriced:
                number = int(re.findall(r"(\d+) without", cells[1])[0])
                assert client.get(link).context["cl"].result_count == number


def test_where_records_could_not_be_found_in_a_moment_no_number_leads_to_them(client: Client) -> None:
    some_usage()
    assert not [link for link in links(page(client, by="bot", days=90)) if "bot=shop" in link and RECORDS + "?" in link]
    assert [link for link in links(page(client, by="bot", days=30)) if "bot=shop" in link and RECORDS + "?" in link]


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


@pytest.mark.parametrize("by", ["day", "person", "bot", "model"])
def test_the_file_has_the_rows_of_the_page(client: Client, by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_PEOPLE", 2)
    some_usage()
    call(UserFactory.create(), 3, 5)
    shown = rows(page(client, by=by))[1:]
    header, *lines = exported(client, by=by)
    people = ["phone_number"] if by == "person" else []
    sums = ["completions", "input_tokens", "cached_input_tokens", "output_tokens", "cost_usd", "without_price"]
    assert header == [by, *people, *sums]
    assert len(lines) == len(shown) == (4 if by == "person" else len(shown))
    for line, row in zip(lines, shown, strict=True):
        *_, answers, sent, cached, output, cost, unpriced = line
        assert [answers, sent, cached, output] == [number.replace(",", "") for number in row[3:]]
        assert row[1] == f"${cost}" + (f" {unpriced} without a price" if int(unpriced) else "")
    assert lines[-1][-2] == f"{everything().cost_micros / 1_000_000:.6f}"


def test_no_cell_of_the_file_is_a_formula(client: Client) -> None:
    for evil in ("=HYPERLINK(1)", "+1", "-1", "@x", "\tx", "＝1"):
        call(UserFactory.create(name=evil), 1, 1, bot=evil[:50], model=evil)
    for by in ("person", "bot", "model"):
        texts = [line[0] for line in exported(client, by=by)[1:]]
        assert len(texts) == 7
        assert not [text for text in texts if text[0] in "=+-@\t\r\n＝＋－＠"], texts
    numbers = [line[1] for line in exported(client, by="person")[1:-1]]
    assert all(re.fullmatch(r"\+\d+", number) for number in numbers)


def test_a_name_that_is_html_is_text(client: Client) -> None:
    call(bob(name="<script>alert(1)</script>"), 1, 1, bot='"><script>', model="<img src=x>")
    for by in ("person", "bot", "model"):
        html = page(client, by=by)
        assert "<script>alert" not in html
        assert '"><script>' not in html
        assert "<img src=x>" not in html


def test_the_file_is_named_by_what_it_has_and_is_in_the_log(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    some_usage()
    with caplog.at_level("INFO"):
        response = client.get(EXPORT, {"by": "person"})
    assert response["Content-Disposition"] == 'attachment; filename="usage-by-person-2026-02-19-2026-03-20.csv"'
    (record,) = (record for record in caplog.records if record.message == "usage_exported")
    assert (record.by, record.rows) == ("person", 2)  # type: ignore[attr-defined]


def test_only_who_may_see_spending_sees_it_and_nobody_posts(client: Client) -> None:
    some_usage()
    for address in (REPORT, EXPORT):
        assert client.post(address).status_code == 405
        client.force_login(bob(role="admin"))
        assert client.get(address).status_code == 200
        client.force_login(charlie(name="Eve"))
        assert client.get(address).status_code == 302
        client.logout()
        assert client.get(address).status_code == 302
        client.force_login(alice(name="Other"))


def test_staff_who_may_not_see_spending_are_refused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = ROLE_PERMISSIONS[Role.ADMIN] - {Permission.SEE_SPENDING}
    monkeypatch.setitem(ROLE_PERMISSIONS, Role.ADMIN, allowed)
    client.force_login(bob(role="admin"))
    assert client.get(reverse("admin:index")).status_code == 200
    for address in (REPORT, EXPORT, RECORDS):
        assert client.get(address).status_code == 403
    assert f'href="{REPORT}"' not in client.get(reverse("admin:index")).content.decode()


def test_the_sidebar_leads_to_it(client: Client) -> None:
    html = page(client)
    assert f'href="{REPORT}"' in html
    client.force_login(bob(role="admin"))
    assert f'href="{REPORT}"' in client.get(reverse("admin:index")).content.decode()


@pytest.mark.parametrize(
    ("asked", "queries"),
    [
        ({"by": "day"}, 5), ({"by": "bot"}, 5), ({"by": "model", "bot": "shop"}, 5), ({"days": 1, "by": "bot"}, 4),
        ({"by": "person"}, 11), ({"by": "person", "day": "2026-03-17"}, 10), ({"person": "1"}, 4), ({"person": "0"}, 4),
    ],
)  # fmt: skip
def test_it_takes_as_many_queries_with_many_rows_as_with_few(
    client: Client, asked: dict[str, str], queries: int, django_assert_num_queries: Any
) -> None:
    some_usage()
    page(client, **asked)
    if connection.vendor == "postgresql" and asked.get("by") == "person":
        queries += 1  # (the room to group in)
    with django_assert_num_queries(queries):
        page(client, **asked)
    for number in range(20):
        call(UserFactory.create(), 0, 1, bot=f"bot-{number}", model=f"model-{number}")
        call(UserFactory.create(), 3, 1)
    with django_assert_num_queries(queries):
        page(client, **asked)
