"""The table role × object × action over HTTP: each cell is tried, and what has no cell fails."""

from typing import Any

import pytest
from django.contrib.admin import site
from django.test import RequestFactory

from bot.tests.admin.roles.cells import Row, answer_of, cells, fits, is_traced, name_of, traces
from bot.tests.admin.roles.page_table import ABOUT, KINDS, MODELS, PAGES, POST_BY_OWNERS, POST_BY_STAFF, expected
from bot.tests.admin.roles.table import TABLE
from bot.tests.admin.roles.world import ROLES, World
from bot.tests.support.desk_rows import contents
from bot.tests.support.pages import Page, pages

pytestmark = pytest.mark.django_db

# What a refusal may write: that it was refused.
LOGS = ("admin.logentry", "users.auditentry")
# Every action of the lists: the row of the table that is about it. (Of each, as Django knows it by name.)
OF_ACTIONS = {
    ("users.user", "allow"), ("users.user", "block"), ("users.user", "erase_selected"),
    ("users.invite", "revoke"), ("users.invite", "delete_selected"),
    ("bot.bot", "pause"), ("bot.bot", "resume"),
    ("bot.inboundmessage", "replay"),
    ("bot.outboundmessage", "mark_sent"), ("bot.outboundmessage", "send_again"),
    ("bot.accessrequest", "allow"), ("bot.accessrequest", "dismiss"),
    ("conversations.conversation", "delete_selected"),
    ("usage.modelprice", "price_waiting"), ("usage.modelprice", "delete_selected"),
}  # fmt: skip
# What may be changed within the form of something else: the rows of the table called "identity of …".
OF_INLINES = {("users.user", "users.Identity")}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("page", pages(), ids=lambda page: page.key)
def test_a_page_opens_for_whom_the_table_says(world: World, page: Page, role: str) -> None:
    wanted = expected(page.key, page.model, role)
    assert wanted is not None, "write down in page_table.py for whom this page is"
    ids = {label: world[row].pk for label, row in ABOUT.items()} | {"": world["text dana on console"].pk}
    found = answer_of(world.clients[role].get(page.path(ids)))
    assert fits(found, wanted)


def test_no_page_is_named_that_is_not_there() -> None:
    there = {page.key for page in pages()}
    named = {f"{label.replace('.', '_')}_{kind}" for label in MODELS for kind in KINDS} | set(PAGES)
    assert named - there == set()
    assert set(MODELS) == set(ABOUT) == {model._meta.label_lower for model in site._registry}


@pytest.mark.parametrize(("role", "row"), list(cells(TABLE)), ids=name_of)
def test_an_act_is_done_for_whom_the_table_says(world: World, role: str, row: Row) -> None:
    wanted, is_done = row.expected(role)
    # (What is refused changes nothing at all; a form that is saved without what is not somebody's is no refusal.)
    held = None if is_done else contents(*LOGS)
    before, told = row.watch(world), traces(world.rows.get(role))
    answer = answer_of(row.way(world.clients[role], world))
    assert (answer if fits(answer, wanted) else f"not {wanted}", row.watch(world) != before) == (answer, is_done)
    assert held is None or answer == "302" or contents(*LOGS) == held, "refused, and yet something has changed"
    written = traces(world.rows.get(role)) - told
    assert not (is_done and row.trace) or is_traced(row.trace, written), f"{row.trace} is not in the logs: {written}"


@pytest.mark.parametrize("role", ["admin", "owner"])
def test_every_action_and_inline_is_in_the_table(world: World, role: str) -> None:
    request: Any = RequestFactory().get("/")
    request.user = world[role]
    actions, inlines = set(), set()
    for model, admin in site._registry.items():
        label = model._meta.label_lower
        actions |= {(label, name) for name in admin.get_actions(request)}
        named = [one if isinstance(one, str) else one.__name__ for one in admin.actions or ()]
        actions |= {(label, name) for name in named}
        inlines |= {(label, inline.model._meta.label) for inline in admin.get_inline_instances(request)}
    assert actions - OF_ACTIONS == set(), "add rows for these to the table"
    assert inlines - OF_INLINES == set(), "add rows for these to the table"


def test_the_table_has_a_row_for_each_action_of_the_lists() -> None:
    rows = [held for row in TABLE if "keys" in (held := held_by(row)) and "label" in held]
    assert OF_ACTIONS - {(held["label"], held["name"]) for held in rows} == set()


@pytest.mark.parametrize("label", sorted(MODELS))
@pytest.mark.parametrize("act", ["add", "change", "delete"])
def test_the_table_has_rows_for_the_forms_of_every_model(label: str, act: str) -> None:
    assert f"{label.replace('.', '_')}_{act}" in posted()


def test_the_table_has_rows_for_what_is_only_posted_to() -> None:
    only_posted = {name for name, answers in PAGES.items() if answers in (POST_BY_STAFF, POST_BY_OWNERS)}
    assert only_posted - posted() == set()


def posted() -> set[str]:
    """Return the names of the pages that the rows of the table post to."""
    return {str(held_by(row).get("name")).removeprefix("admin:") for row in TABLE}


def held_by(row: Row) -> dict[str, Any]:
    """Return what a row's way was made of: its name, and perhaps its label and keys."""
    cells = [cell.cell_contents for cell in row.way.__closure__ or ()]
    return dict(zip(row.way.__code__.co_freevars, cells, strict=True))
