"""What the address of a list may ask: its own filters and those of the links that lead to it, and never a text."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.db import models
from django.test import Client, RequestFactory
from django.urls import reverse

from bot.admin.dashboard import links
from bot.models import InboundMessage, OutboundMessage
from bot.tests.support.desk_rows import fill_desk
from bot.tests.support.factories import BotFactory, InboundFactory
from config.desk.lists import DeskAdmin
from usage.days import today
from users.models import User
from users.roles import Role
from users.tests.factories import alice, bob

pytestmark = [pytest.mark.database, pytest.mark.django_db]

LISTS = sorted(admin.site._registry, key=lambda model: model._meta.label_lower)
LOOKUPS = (
    *("", "exact", "iexact", "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith"),
    *("regex", "iregex", "gt", "gte", "lt", "lte", "in", "range", "isnull", "isempty", "year", "date", "length"),
)
# What a lookup of a list may tell: a whole value that the list shows, a span of times or ids, or that there is none.
HARMLESS = ("exact", "isnull", "isempty", "gte", "lt", "lte", "in")
SECRET = ("text", "payload", "password", "credentials", "code", "content", "system_prompt", "result", "args", "kwargs")


def path_of(model: type[models.Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def fields_of(model: type[models.Model]) -> Iterator[str]:
    """Yield the fields of a model as lookups name them, and those of the models that they lead to."""
    for field in model._meta.get_fields():
        name = field.name
        yield name
        related: Any = field.related_model
        if related:
            yield from (f"{name}__{other.name}" for other in related._meta.get_fields() if other.concrete)
    for field in model._meta.get_fields():
        if isinstance(field, models.JSONField):
            yield f"{field.name}__text"


def accepted(model: type[models.Model], person: User) -> set[str]:
    """Return which lookups of a list are not refused, of every field and of one relation deep."""
    found = set()
    own = admin.site._registry[model]
    for field, lookup in product(fields_of(model), LOOKUPS):
        asked = f"{field}__{lookup}".removesuffix("__")
        request = RequestFactory().get(path_of(model), {asked: "1"})
        request.user = person
        try:
            own.get_changelist_instance(request)
        except DisallowedModelAdminLookup:
            continue
        except IncorrectLookupParameters:
            pass
        found.add(asked)
    return found


def ask(client: Client, model: type[models.Model], **filters: str) -> int:
    return client.get(path_of(model), filters).status_code


@pytest.fixture
def staff(client: Client) -> Client:
    """A client of Bob, an admin, who may read no texts."""
    client.force_login(bob(role=Role.ADMIN))
    return client


@pytest.mark.parametrize("model", LISTS, ids=lambda model: model._meta.label_lower)
def test_every_list_has_the_walls_of_the_base(model: type[models.Model]) -> None:
    own = admin.site._registry[model]
    assert isinstance(own, DeskAdmin), f"{type(own).__name__} must derive from config.desk.lists.DeskAdmin"
    assert type(own).lookup_allowed is DeskAdmin.lookup_allowed


@pytest.mark.parametrize("model", LISTS, ids=lambda model: model._meta.label_lower)
def test_a_list_takes_the_lookups_it_declares_and_none_that_tells_a_part_of_a_value(model: type[models.Model]) -> None:
    for lookup in accepted(model, bob(role=Role.ADMIN)) | accepted(model, alice()):
        *path, last = lookup.split("__")
        # (A filter of its own may have a field's name; it takes its own choices.)
        assert last in HARMLESS or not path, f"{model._meta.label}: ?{lookup}= reads by parts"
        assert not {*path, last} & {*SECRET}, f"{model._meta.label}: ?{lookup}= reads what the list does not show"


@pytest.mark.parametrize("model", LISTS, ids=lambda model: model._meta.label_lower)
def test_nobody_narrows_a_list_by_what_it_does_not_declare(client: Client, model: type[models.Model]) -> None:
    client.force_login(alice())
    for field in fields_of(model):
        assert ask(client, model, **{f"{field}__startswith": "a"}) == 400, field


def test_an_admin_reads_no_text_of_the_outbox_letter_by_letter(staff: Client) -> None:
    row = {"bot": BotFactory.create(), "address": "+12025550101", "turn_key": 1, "part": 1}
    OutboundMessage.objects.create(**row, text="HIV positive")
    for letters in ("H", "X"):
        assert ask(staff, OutboundMessage, text__startswith=letters) == 400


def test_an_admin_reads_no_message_that_waits(staff: Client) -> None:
    InboundFactory.create(payload={"text": "a zebra"})
    for word in ("zebra", "horse"):
        assert ask(staff, InboundMessage, payload__text__icontains=word) == 400


def test_a_refused_filter_is_logged_without_what_was_asked(staff: Client, caplog: pytest.LogCaptureFixture) -> None:
    ask(staff, OutboundMessage, text__startswith="zebra")
    refused = [record for record in caplog.records if record.getMessage() == "list_filter_refused"]
    assert [record.__dict__["list"] for record in refused] == ["bot.outboundmessage"]
    assert "zebra" not in caplog.text


@pytest.mark.parametrize("model", LISTS, ids=lambda model: model._meta.label_lower)
def test_no_search_looks_into_texts(model: type[models.Model]) -> None:
    searched = admin.site._registry[model].search_fields
    names = {part for field in searched for part in str(field).lstrip("^=@").split("__")}
    # (A code is found by who knows the whole of it.)
    assert not names & ({*SECRET} - {"code"})


@pytest.mark.parametrize("model", LISTS, ids=lambda model: model._meta.label_lower)
def test_a_search_for_a_word_of_a_text_finds_nothing(model: type[models.Model], staff: Client) -> None:
    row = {"bot": BotFactory.create(), "address": "+12025550101", "turn_key": 1, "part": 1}
    OutboundMessage.objects.create(**row, text="zebra")
    InboundFactory.create(payload={"text": "zebra"})
    answer = staff.get(path_of(model), {"q": "zebra"})
    if answer.status_code == 200:
        assert answer.context["cl"].result_count == 0


@pytest.mark.parametrize("query", ["_to_field=password", "_to_field=text", "_facets=1&text__startswith=a"])
def test_other_parameters_of_djangos_lists_open_nothing(staff: Client, query: str) -> None:
    assert staff.get(f"{path_of(OutboundMessage)}?{query}").status_code == 400


@pytest.mark.parametrize("model", LISTS, ids=lambda model: model._meta.label_lower)
def test_a_pop_up_names_rows_by_their_id_only(client: Client, model: type[models.Model]) -> None:
    client.force_login(alice())
    for field in model._meta.get_fields(include_hidden=True):
        if not getattr(field, "primary_key", False):
            assert ask(client, model, _popup="1", _to_field=field.name) == 400, field.name


def test_an_admin_who_asks_for_a_relation_in_a_pop_up_is_refused(staff: Client) -> None:
    assert ask(staff, User, _popup="1", _to_field="invites") == 400
    assert ask(staff, User, _popup="1", _to_field="id") == 200


def test_a_list_is_sorted_by_what_it_offers_only(staff: Client) -> None:
    for number in range(1, 12):
        answer = staff.get(path_of(OutboundMessage), {"o": str(number)})
        assert not {"text", "-text"} & {str(one) for one in answer.context["cl"].queryset.query.order_by}


@pytest.mark.parametrize("field", ["text", "payload", "address", "password"])
def test_a_field_that_is_no_relation_offers_nothing_to_choose_from(staff: Client, field: str) -> None:
    asked = {"app_label": "bot", "model_name": "outboundmessage", "field_name": field, "term": "zebra"}
    assert staff.get(reverse("admin:autocomplete"), asked).status_code == 403


@pytest.mark.parametrize(
    "href",
    [
        lambda bot: links.all_answered(bot),
        lambda bot: links.failed("LLM_TIMEOUT", bot),
        lambda bot: links.waiting(bot),
        lambda bot: links.dead(),
        lambda bot: links.uncertain(),
        lambda bot: links.list_of(OutboundMessage, status__in="sent,read", id__gte=1, id__lte=2, bot__id__exact=bot.pk),
        lambda bot: links.list_of(OutboundMessage, **links._period("created_at", today(), today())),
        lambda bot: links.list_of(InboundMessage, **links._period("received_at", today(), today())),
        lambda bot: links.usage(today(), today(), bot, model__exact="gpt"),
        lambda bot: links.calls(bot, user__id__exact=1),
    ],
)
def test_the_links_of_the_dashboard_still_lead_to_their_lists(staff: Client, href: Any) -> None:
    assert staff.get(href(BotFactory.create())).status_code == 200


def test_every_choice_of_every_filter_opens_its_list(client: Client) -> None:
    fill_desk()
    client.force_login(alice())
    for model in LISTS:
        page = client.get(path_of(model))
        changes = page.context["cl"]
        for choice in (choice for spec in changes.filter_specs for choice in spec.choices(changes)):
            query = choice.get("query_string", "")
            assert client.get(path_of(model) + query, follow=True).status_code == 200, (model, query)
