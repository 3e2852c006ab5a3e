"""What goes when rows are deleted in the admin, in numbers: Django's own page lists every row, perhaps a million."""

from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.utils import quote
from django.db import router
from django.db.models import Model, ProtectedError, RestrictedError
from django.db.models.deletion import Collector
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.text import capfirst

from config.desk import paginator

# More of the rows themselves are not named.
MOST_NAMED = 100


def what_goes(
    objs: Any, request: HttpRequest, site: AdminSite
) -> tuple[list[Any], dict[str, Any], set[str], list[Any]]:
    """Return the rows as links, how many of each model go, whose deletion is not allowed, and what keeps them.

    Related rows are counted, no further than pages are, and not read.
    """
    rows: list[Model] = list(objs)
    if not rows:
        return [], {}, set(), []
    collector = Collector(using=router.db_for_write(type(rows[0])), origin=objs)
    try:
        collector.collect(rows)
    except ProtectedError as error:
        return [], {}, set(), _links(error.protected_objects, site)
    except RestrictedError as error:
        return [], {}, set(), _links(error.restricted_objects, site)
    numbers = _numbers(collector)
    forbidden = {model for model in numbers if not _may_delete(model, request, site)}
    forbidden |= {type(row) for row in rows if not _may_delete(type(row), request, site, row)}
    counts = {str(model._meta.verbose_name_plural): _shown(number) for model, number in numbers.items()}
    return _links(rows, site), counts, {str(model._meta.verbose_name) for model in forbidden}, []


def _numbers(collector: Collector) -> Counter[type[Model]]:
    """Return how many rows of each model go, one more than the most where there are more."""
    numbers: Counter[type[Model]] = Counter({model: len(found) for model, found in collector.data.items()})
    for found in collector.fast_deletes:
        numbers[found.model] += found[: paginator.MOST + 1].count()
    return +numbers


def _shown(number: int) -> str:
    return str(number) if number <= paginator.MOST else f"> {paginator.MOST}"


def _may_delete(model: type[Model], request: HttpRequest, site: AdminSite, row: Model | None = None) -> bool:
    return not site.is_registered(model) or site.get_model_admin(model).has_delete_permission(request, row)


def _links(rows: Iterable[Model], site: AdminSite) -> list[Any]:
    links = [_link(row, site) for row in islice(rows, MOST_NAMED + 1)]
    return [*links[:MOST_NAMED], "…"] if len(links) > MOST_NAMED else links


def _link(row: Model, site: AdminSite) -> str:
    opts = row._meta
    name = capfirst(str(opts.verbose_name))
    try:
        url = reverse(f"{site.name}:{opts.app_label}_{opts.model_name}_change", args=(quote(row.pk),))
    except NoReverseMatch:
        return f"{name}: {row}"
    return format_html('{}: <a href="{}">{}</a>', name, url, row)
