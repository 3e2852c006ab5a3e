"""Nothing changes unless a form of ours is posted: not by another site's form, and not by opening a page."""

import pytest
from django.test import Client

from bot.tests.support.desk_rows import contents, fill_desk
from bot.tests.support.desk_table import needs
from bot.tests.support.pages import Page, pages
from bot.web.error_pages import CSRF_PAGE
from users.tests.factories import alice

pytestmark = pytest.mark.django_db

# For machines: a webhook proves by its signature who it is from.
EXEMPT = {"webhook", "webhook_bare"}
FOR_MACHINES = EXEMPT | {f"{name}{ending}" for name in ("healthz", "readyz", "metrics") for ending in ("", "_slash")}
# Reading a conversation is noted in the audit log, and a report keeps the sums it has made of days that are over.
NOTED = ("users.auditentry", "usage.closedday")


def owner(*, enforce_csrf_checks: bool = False) -> Client:
    """Return a browser in which an owner is signed in."""
    client = Client(enforce_csrf_checks=enforce_csrf_checks)
    client.force_login(alice())
    return client


def of_people() -> list[Page]:
    return [page for page in pages() if page.key not in FOR_MACHINES]


def test_only_webhooks_take_posts_without_a_token() -> None:
    assert {page.key for page in pages() if getattr(page.view, "csrf_exempt", False)} == EXEMPT


def test_a_post_without_a_token_is_refused_everywhere_and_changes_nothing() -> None:
    ids, client = fill_desk(), owner(enforce_csrf_checks=True)
    before = contents()
    forged = {"post": "yes", "confirmed": "1", "language": "de", "_selected_action": list(ids.values())}
    answers = {page.key: client.post(page.path(ids), forged) for page in of_people()}
    assert {key: answer.status_code for key, answer in answers.items() if answer.status_code != 403} == {}
    unclear = [key for key, answer in answers.items() if str(CSRF_PAGE[0]) not in answer.content.decode()]
    assert unclear == [], "refused, but for another reason than the missing token"
    assert contents() == before


def test_a_post_with_the_token_of_the_page_is_taken() -> None:
    client = owner(enforce_csrf_checks=True)
    client.get("/admin/users/user/add/")
    token = client.cookies["csrftoken"].value
    answer = client.post("/admin/users/user/add/", {"csrfmiddlewaretoken": token})
    assert answer.status_code == 200 and "This field is required" in answer.content.decode()


def test_opening_a_page_changes_nothing() -> None:
    ids, client = fill_desk(), owner()
    before = contents(*NOTED)
    for page in pages():
        # (as a link in a message could have it)
        client.get(page.path(ids), {"confirmed": "1", "post": "yes", "action": "allow", "_selected_action": "1"})
    assert contents(*NOTED) == before


def test_what_is_only_posted_cannot_be_opened() -> None:
    ids, client = fill_desk(), owner()
    only_posted = [page for page in of_people() if (found := needs(page)) and found.status == 405]
    assert {page.key: client.get(page.path(ids)).status_code for page in only_posted} == {
        page.key: 405 for page in only_posted
    }
    assert len(only_posted) > 5
