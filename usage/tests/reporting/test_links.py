"""Where each row and number of the report leads."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from usage.tests.reporting.asking import REPORT, links, page, rows, some_usage
from usage.tests.usages import call
from users.tests.factories import alice, charlie

pytestmark = [pytest.mark.usefixtures("at_noon"), pytest.mark.database, pytest.mark.django_db]

RECORDS = reverse("admin:usage_usagerecord_changelist")


@pytest.fixture(autouse=True)
def _as_alice(client: Client) -> None:
    client.force_login(alice())


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
