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
from django.test import Client, RequestFactory

from bot.models import Bot
from bot.tests.support.desk_lists import LISTS, asked, path_of
from config.desk.lists import DeskAdmin
from usage.models import UsageRecord
from users.models import User
from users.tests.factories import alice

pytestmark = [pytest.mark.database, pytest.mark.django_db]

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
