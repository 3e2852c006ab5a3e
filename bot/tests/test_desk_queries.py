"""Every list of the desk takes as many queries for many rows as for few, and none counts or reads a whole table.

The lists are those of the registry: one that is added needs an entry in desk_lists.LISTS.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteMixin, ForeignKeyRawIdWidget
from django.db import connection
from django.db.models import Model
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bot.models import Bot
from bot.tests.desk_lists import LISTS
from usage.models import UsageRecord
from users.desk import DeskAdmin
from users.models import User
from users.tests.factories import UserFactory, alice

pytestmark = pytest.mark.django_db

FEW, MANY = 3, 30
REGISTRY: dict[str, Any] = {model._meta.label_lower: listed for model, listed in admin.site._registry.items()}
# (With Redis there is no list of tasks that wait.)
HERE = sorted(set(LISTS) & set(REGISTRY))
# Tables that stay short: they may be counted, and their values looked for.
SHORT = {"bot_bot", "django_q_ormq", "django_q_schedule", "django_q_task"}


class UsageList(DeskAdmin):
    """A list of calls."""

    list_display = ("id", "created_at", "user", "bot", "kind", "model", "cost_micros")
    actions = ("delete_selected",)


@pytest.fixture
def owner(client: Client) -> Client:
    """A client of Alice, who sees everything."""
    client.force_login(alice())
    return client


def path_of(label: str) -> str:
    """Return where a model's list is."""
    return reverse(f"admin:{label.replace('.', '_')}_changelist")


def asked(client: Client, path: str) -> list[str]:
    """Return the queries of a page that is there."""
    with CaptureQueriesContext(connection) as captured:
        # (At its end a request empties what is captured.)
        response = client.get(path)
        queries = [query["sql"] for query in captured.captured_queries]
    assert response.status_code == 200, path
    return queries


def reads_everything(sql: str) -> bool:
    """Return whether a query counts a table, or looks for its different values, without a limit."""
    table = re.search(r'FROM "(\w+)"', sql)
    return bool(re.search(r"COUNT\(|DISTINCT", sql)) and "LIMIT" not in sql and not (table and table[1] in SHORT)


def test_every_list_of_the_desk_is_looked_at_here() -> None:
    assert set(REGISTRY) == set(HERE)
    assert all(isinstance(listed, DeskAdmin) for listed in REGISTRY.values())


@pytest.mark.parametrize("label", HERE)
def test_a_list_takes_as_many_queries_for_many_rows_as_for_few(label: str, owner: Client) -> None:
    make, most = LISTS[label]
    for number in range(1, FEW + 1):
        make(number)
    asked(owner, path_of(label))  # (what is read once in a process)
    few = asked(owner, path_of(label))
    for number in range(FEW + 1, MANY + 1):
        make(number)
    many = asked(owner, path_of(label))
    assert len(few) == len(many), "\n".join(many)
    assert len(many) <= most, "\n".join(many)


def links_of(client: Client, label: str) -> Iterator[str]:
    """Yield the list, and each link of its filters and its columns' headings."""
    path = path_of(label)
    yield path
    page: Any = client.get(path)
    listed = page.context_data["cl"]
    for spec in listed.filter_specs:
        yield from (path + str(choice.get("query_string", "?")) for choice in spec.choices(listed))
    yield from (f"{path}?o={sign}{number}" for sign in ("", "-") for number in range(len(listed.list_display)))
    if listed.search_fields:
        yield from (f"{path}?q={term}" for term in ("nobody", "%2B4917100001"))


@pytest.mark.parametrize("label", HERE)
def test_no_filter_order_or_search_counts_a_table_or_looks_for_its_values(label: str, owner: Client) -> None:
    for number in range(1, FEW + 1):
        LISTS[label][0](number)
    for link in dict.fromkeys(links_of(owner, label)):
        for sql in asked(owner, link):
            assert not reads_everything(sql), (link, sql)


def order_of(client: Client, path: str) -> str:
    """Return what the rows of a page are ordered by."""
    return [sql for sql in asked(client, path) if "ORDER BY" in sql and "COUNT(" in sql][-1].rpartition("ORDER BY")[2]


@pytest.mark.parametrize("label", HERE)
def test_a_list_is_sorted_by_what_an_index_sorts_and_by_nothing_else(label: str, owner: Client) -> None:
    LISTS[label][0](1)
    path = path_of(label)
    page: Any = owner.get(path)
    listed = page.context_data["cl"]
    plain = order_of(owner, path)
    for number, column in enumerate(listed.list_display):
        if column not in listed.sortable_by:
            # (A link that somebody made up.)
            assert order_of(owner, f"{path}?o=-{number}") == plain, column


@pytest.mark.parametrize(("column", "field"), [("1", "id"), ("-1", "id"), ("2", "created_at"), ("-2.7", "created_at")])
def test_a_column_that_an_index_sorts_sorts_the_list(column: str, field: str, owner: Client) -> None:
    listed = UsageList(UsageRecord, admin.site)
    request = RequestFactory().get("/", {"o": column})
    request.user = User.objects.get()
    order = str(listed.get_changelist_instance(request).queryset.query).rpartition("ORDER BY")[2]
    way = "DESC" if column.startswith("-") else "ASC"
    assert order.strip().startswith(f'"usage_usagerecord"."{field}" {way}')


def test_the_columns_that_sort_are_those_that_an_index_sorts(rf: RequestFactory) -> None:
    assert UsageList(UsageRecord, admin.site).get_sortable_by(rf.get("/")) == ["id", "created_at"]


def choices_of_people(form: Any) -> Iterator[str]:
    """Yield the fields of a form that offer everybody as a list of options."""
    for name, field in form.base_fields.items():
        if isinstance(field, forms.ModelChoiceField) and getattr(field.queryset, "model", None) is not Bot:
            widget = getattr(field.widget, "widget", field.widget)
            if not isinstance(widget, (AutocompleteMixin, ForeignKeyRawIdWidget)):
                yield name


def test_no_form_offers_everybody_as_a_list_of_options(rf: RequestFactory) -> None:
    request = rf.get("/")
    request.user = alice()
    for label, listed in REGISTRY.items():
        if listed.has_add_permission(request):
            assert not list(choices_of_people(listed.get_form(request))), label
        for inline in listed.get_inline_instances(request):
            formset = inline.get_formset(request)
            assert set(choices_of_people(formset.form)) <= {formset.fk.name}, label


def test_more_rows_than_a_list_counts_are_not_acted_on_at_once(owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("users.paginator.MOST", 3)
    people = UserFactory.create_batch(3)
    chosen = {"action": "block", "select_across": "1", "_selected_action": str(people[0].pk)}
    answer = owner.post(path_of("users.user"), chosen, follow=True)
    assert "At most 3 rows" in answer.content.decode()
    assert User.objects.filter(is_whitelisted=True).count() == 4  # (with Alice)


def test_as_many_as_a_list_counts_are_acted_on_at_once(owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("users.paginator.MOST", 4)
    people = UserFactory.create_batch(3)
    chosen = {"action": "block", "select_across": "1", "_selected_action": str(people[0].pk)}
    answer = owner.post(path_of("users.user"), chosen, follow=True)
    assert "At most" not in answer.content.decode()


def rows_named(page: str) -> int:
    """Return how many rows the page that asks before a deletion links to."""
    return len(re.findall(r'<li>[^<]*: <a href="/admin/', page))


def test_the_page_before_a_deletion_says_in_numbers_what_goes_with_a_row(
    owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, _ = LISTS["bot.accessrequest"]
    bots: list[Model] = [make(number).bot for number in range(1, 13)]  # type: ignore[attr-defined]
    bot = bots[0]
    for number in range(100, 120):
        type(make(number)).objects.filter(address=f"+4915200{number:05}").update(bot=bot)  # type: ignore[attr-defined]
    path = reverse("admin:bot_bot_delete", args=(bot.pk,))
    page = owner.get(path).content.decode()
    assert "Access requests: 21" in page
    assert rows_named(page) == 1
    few = len(asked(owner, path))
    monkeypatch.setattr("users.paginator.MOST", 10)
    assert "Access requests: &gt; 10" in owner.get(path).content.decode()
    assert len(asked(owner, path)) == few
    owner.post(path, {"post": "yes"})
    assert not Bot.objects.filter(pk=bot.pk).exists()


def test_who_may_not_delete_what_goes_with_a_row_does_not_delete_the_row(
    owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, _ = LISTS["bot.accessrequest"]
    bot: Any = make(1).bot  # type: ignore[attr-defined]
    path = reverse("admin:bot_bot_delete", args=(bot.pk,))
    monkeypatch.setattr(type(REGISTRY["bot.accessrequest"]), "has_delete_permission", lambda *arguments: False)
    assert "access request" in " ".join(owner.get(path).context["perms_lacking"])
    assert owner.post(path, {"post": "yes"}).status_code == 403
    assert Bot.objects.filter(pk=bot.pk).exists()
