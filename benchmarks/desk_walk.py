"""Find the pages of the operator's desk: by its registry, its lists' own links, and its sidebar. Nothing is named here.

So a list, a filter or a page that is added is measured from then on.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

# A number of somebody, a name that thousands have, one that few have, and what nobody is called.
TERMS = ("+4916110000500", "Ada", "Haas 75", "nobody is called that")


@dataclass(frozen=True, slots=True)
class Page:
    """One page: of which list (or the path of another page), of what sort, and where it is."""

    owner: str
    sort: str
    path: str


def pages(visit: Callable[[str], Any]) -> Iterator[Page]:
    """Yield every page of the desk. visit returns the response to a path."""
    from django.contrib import admin
    from django.urls import reverse

    index = reverse("admin:index")
    seen = {index}
    yield Page("dashboard", "page", index)
    for model, model_admin in admin.site._registry.items():
        name = f"{model._meta.app_label}.{model._meta.model_name}"
        for page in [*_of_list(name, model, model_admin, visit), *_own_pages(name, model, model_admin)]:
            if page.path not in seen:
                seen.add(page.path)
                yield page
    for path in _sidebar():
        if path not in seen:
            seen.add(path)
            yield Page(path, "page", path)


def _of_list(name: str, model: Any, model_admin: Any, visit: Callable[[str], Any]) -> Iterator[Page]:
    from django.contrib.admin.templatetags.admin_list import result_headers
    from django.urls import reverse

    path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    listed = visit(path).context_data["cl"]
    yield Page(name, "list", path)
    if listed.paginator.num_pages > 1:
        yield Page(name, "page 2", f"{path}?p=2")
        yield Page(name, "last page", f"{path}?p={listed.paginator.num_pages}")
    for spec in listed.filter_specs:
        links = (choice.get("query_string", "") for choice in spec.choices(listed))
        yield from (Page(name, "filter", path + link) for link in links if len(link) > 1)
    for header in result_headers(listed):
        if header.get("sortable"):
            yield from (Page(name, "order", path + link) for link in orders(header))
    if listed.search_fields:
        yield from (Page(name, "search", f"{path}?{urlencode({'q': term})}") for term in TERMS)
    for field in model_admin.autocomplete_fields:
        asked = {"app_label": model._meta.app_label, "model_name": model._meta.model_name, "field_name": field}
        link = reverse("admin:autocomplete")
        yield from (Page(name, "autocomplete", f"{link}?{urlencode({**asked, 'term': t})}") for t in ("", *TERMS))


def orders(header: dict[str, Any]) -> list[str]:
    """Return the links of a column's heading that sort by it, both ways."""
    link: str = header["url_primary"]
    column = str(header["url_toggle"]).partition("o=")[2].partition(".")[0].lstrip("-")
    return sorted({link, f"?o={column}", f"?o=-{column}"}) if column.isdecimal() else [link]


def _own_pages(name: str, model: Any, model_admin: Any) -> Iterator[Page]:
    """Yield the pages of one row, and those that take nothing: forms, history, deletion, whatever else there is."""
    from django.urls import NoReverseMatch, reverse

    row = model._default_manager.order_by("pk").first()
    for pattern in model_admin.get_urls():
        if not pattern.name:
            continue
        for arguments in ((), (row.pk,)) if row else ((),):
            try:
                path = reverse(f"admin:{pattern.name}", args=arguments)
            except NoReverseMatch:
                continue
            yield Page(name, pattern.name.rpartition("_")[2], path)


def _sidebar() -> Iterator[str]:
    from config.desk.sidebar import NAVIGATION

    groups: Any = NAVIGATION
    for group in groups:
        for item in group["items"]:
            yield str(item["link"])
