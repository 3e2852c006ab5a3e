"""What each role sees and may do on every page, as the table of permissions says; and that no page is left out."""

import re
from collections import Counter
from html import unescape
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.urls import Resolver404, resolve, reverse

from bot.tests.support.desk_rows import contents, fill_desk
from bot.tests.support.desk_seen import sign_in
from bot.tests.support.desk_table import ANYBODY, OWN, ROWS, STAFF, Needs, has, needs, needs_to_post
from bot.tests.support.pages import MODELS, Page, pages
from users.models import User

pytestmark = pytest.mark.django_db

WHO = ("owner", "admin", "whitelisted", "was admin", "nobody")


# Addresses of the same page that are followed: a list, and a list with a filter.
EACH = 2


def expected(page: Page, person: User | None) -> str:
    """Return what a GET of a page is answered with: a status, and "login" where it leads there."""
    wanted = needs(page) or Needs("?")
    if has(person, wanted.need):
        return str(wanted.status)
    if page.is_admin:
        staff = has(person, STAFF)
        return ("405" if wanted.status == 405 else "403") if staff else "login"
    if page.name == "send":
        return "405"
    return "login" if person is None and page.name == "chat" else "403"


def seen(response: Any) -> str:
    leads = response.status_code == 302 and response["Location"].startswith("/admin/login/")
    return "login" if leads else str(response.status_code)


def test_the_table_names_every_page_and_no_other() -> None:
    missing = [page.key for page in pages() if needs(page) is None]
    assert missing == [], "say in desk_table.py which permission these pages need"
    assert set(OWN) - {page.key for page in pages()} == set()
    assert set(ROWS) == MODELS | {"django_q.ormq"}  # (which has no page where Redis carries the tasks)


@pytest.mark.parametrize("who", WHO)
def test_every_page_opens_for_whom_the_table_says_and_for_nobody_else(who: str) -> None:
    ids = fill_desk()
    client, person = sign_in(who)
    desk = [page for page in pages() if (needs(page) or Needs("")).need != ANYBODY]
    found = {page.key: seen(client.get(page.path(ids))) for page in desk}
    assert found == {page.key: expected(page, person) for page in desk}


@pytest.mark.parametrize("who", WHO[1:])
def test_nobody_changes_by_posting_what_they_may_not(who: str) -> None:
    ids = fill_desk()
    client, person = sign_in(who)
    before = contents()
    guarded = [(page, need) for page in pages("admin/") if (need := needs_to_post(page)) is not None]
    refused = [page for page, need in guarded if not has(person, need)]
    statuses = {page.key: seen(client.post(page.path(ids), {"post": "yes", "confirmed": "1"})) for page in refused}
    assert len(refused) > 30
    assert set(statuses.values()) == {"403" if who == "admin" else "login"}, statuses
    assert contents() == before


@pytest.mark.parametrize("who", ["owner", "admin"])
def test_no_link_of_any_page_leads_to_a_page_that_refuses(who: str) -> None:
    fill_desk()
    client, _ = sign_in(who)
    waiting, followed, wrong = [(reverse("admin:index"), "")], Counter[str](), {}
    while waiting:
        url, source = waiting.pop(0)
        key = route_of(url)
        if followed[key] >= EACH:
            continue
        followed[key] += 1
        response = client.get(url)
        if response.status_code not in (200, 302):
            wrong[url] = f"{response.status_code}, linked on {source}"
        waiting += [(link, url) for link in links_of(url, response)]
    assert wrong == {}
    # (that it went anywhere at all)
    assert {"admin/users/user/", "admin/bot/bot/<path:object_id>/change/", ""} <= set(followed)


def links_of(url: str, response: Any) -> list[str]:
    """Return the addresses of ours that a page links to."""
    if response.status_code == 302:
        return [urljoin(url, response["Location"])]
    if not response["Content-Type"].startswith("text/html"):
        return []
    found = re.findall(r'<a\b[^>]*\shref="([^"#]+)', response.content.decode())
    links = [urljoin(url, unescape(link)) for link in found]
    return [link for link in links if not urlsplit(link).netloc]


def route_of(url: str) -> str:
    """Return which page an address is of."""
    try:
        return resolve(urlsplit(url).path).route
    except Resolver404:
        return url
