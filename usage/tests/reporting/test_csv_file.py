"""The report's file has the rows of the page, and none of its cells is a formula."""

import csv
import io
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from usage.reporting import table as tables
from usage.tests.reporting.asking import page, rows, some_usage
from usage.tests.usages import call, everything
from users.tests.factories import UserFactory, alice

pytestmark = [pytest.mark.usefixtures("at_noon"), pytest.mark.database, pytest.mark.django_db]

EXPORT = reverse("admin:usage_report_export")


@pytest.fixture(autouse=True)
def _as_alice(client: Client) -> None:
    client.force_login(alice())


def exported(client: Client, **asked: Any) -> list[list[str]]:
    response = client.get(EXPORT, {name.rstrip("_"): value for name, value in asked.items()})
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response.streaming
    text = b"".join(response).decode()
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:], newline="")))


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


def test_the_file_is_named_by_what_it_has_and_is_in_the_log(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    some_usage()
    with caplog.at_level("INFO"):
        response = client.get(EXPORT, {"by": "person"})
    assert response["Content-Disposition"] == 'attachment; filename="usage-by-person-2026-02-19-2026-03-20.csv"'
    (record,) = (record for record in caplog.records if record.message == "usage_exported")
    assert (record.by, record.rows) == ("person", 2)  # type: ignore[attr-defined]
