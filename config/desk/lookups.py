"""Which filters of a list may stand in its address: those that the list declares, and no others.

Django takes a lookup of any of a model's own fields (?text__startswith=A). Whoever may open the list would read by it,
letter by letter, what the list does not show.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib.admin import EmptyFieldListFilter, ListFilter, SimpleListFilter
from django.contrib.admin.utils import get_fields_from_path
from django.db.models import BooleanField, DateField, Model

DATE_STEPS = ("year", "month", "day", "gte", "lt")


def declared_lookups(
    model: type[Model], filters: Iterable[Any], date_hierarchy: str | None = None, linked: Iterable[str] = ()
) -> frozenset[str]:
    """Return the parameters that a list's own filters read, and those of the links that lead to it."""
    found = {*linked}
    for declared in filters:
        found.update(_parameters_of(model, declared))
    if date_hierarchy:
        found.update(f"{date_hierarchy}__{step}" for step in DATE_STEPS)
    return frozenset(found)


def _parameters_of(model: type[Model], declared: Any) -> Iterator[str]:
    """Yield the parameters that one entry of list_filter reads. No query: a filter that is made reads its choices."""
    if isinstance(declared, type):
        yield from _parameters_of_class(declared)
        return
    path, kind = (declared, None) if isinstance(declared, str) else declared
    field: Any = get_fields_from_path(model, path)[-1]
    if isinstance(kind, type) and issubclass(kind, EmptyFieldListFilter):
        yield f"{path}__isempty"
        return
    yield f"{path}__isnull"
    if field.is_relation:
        yield f"{path}__{field.target_field.name}__exact"
    elif isinstance(field, DateField):
        yield from (f"{path}__gte", f"{path}__lt")
    elif field.flatchoices or isinstance(field, BooleanField):
        yield f"{path}__exact"
    else:
        yield path


def _parameters_of_class(kind: type[ListFilter]) -> Iterator[str]:
    if issubclass(kind, SimpleListFilter):
        yield str(kind.parameter_name)
    else:  # (It says itself what it reads.)
        yield from getattr(kind, "parameter_names", ())
