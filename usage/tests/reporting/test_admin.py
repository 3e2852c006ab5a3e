"""Who sees the report, and at what cost."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from usage.tests.reporting.asking import REPORT, page, some_usage
from usage.tests.usages import call
from users.permissions import ROLE_PERMISSIONS, Permission
from users.roles import Role
from users.tests.factories import UserFactory, alice, bob, charlie

pytestmark = [pytest.mark.usefixtures("at_noon"), pytest.mark.database, pytest.mark.django_db]

EXPORT = reverse("admin:usage_report_export")
RECORDS = reverse("admin:usage_usagerecord_changelist")


@pytest.fixture(autouse=True)
def _as_alice(client: Client) -> None:
    client.force_login(alice())


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
