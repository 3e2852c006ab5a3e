"""A page between choosing an action of a list and doing it: what it would change, and Confirm or Cancel.

An action asks first and acts when it is posted again:

    if not is_confirmed(request):
        return confirm(request, self, chosen, action="allow", title=…, explanation=…, rows=…, confirm_label=…)
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse

MOST_SHOWN = 20


def is_confirmed(request: HttpRequest) -> bool:
    """Return whether an action was posted from the page that asks."""
    return request.POST.get("confirmed") == "1"


def confirm(
    request: HttpRequest,
    model_admin: "ModelAdmin[Any]",
    queryset_or_objects: Iterable[Any],
    *,
    action: str,
    title: object,
    explanation: object,
    rows: Sequence[object],
    confirm_label: object,
    danger: bool = False,
    count: int | None = None,
    left_out: Sequence[object] = (),
    left_out_count: int | None = None,
) -> TemplateResponse:
    """Return the page that asks, and posts the action with the same choice to the same list once more.

    queryset_or_objects: what was chosen; read only where the request names no rows of a list. rows: what will change,
    in words; left_out: what will not, with the reason. The page shows the first MOST_SHOWN of either, and says how many
    more there are: give count and left_out_count where they are more than the rows that are given. Nothing to
    change: the page offers no more than the way back.
    """
    posted = request.POST.getlist(ACTION_CHECKBOX_NAME)
    meta = model_admin.opts
    listed = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    query = request.GET.urlencode()
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": meta,
        "title": title,
        "action": action,
        "selected": posted or [one.pk for one in queryset_or_objects],
        "checkbox_name": ACTION_CHECKBOX_NAME,
        "select_across": request.POST.get("select_across", "0"),
        "list_url": f"{listed}?{query}" if query else listed,
        "explanation": explanation,
        "rows": rows[:MOST_SHOWN],
        "rows_more": max(0, (len(rows) if count is None else count) - MOST_SHOWN),
        "left_out": left_out[:MOST_SHOWN],
        "left_out_more": max(0, (len(left_out) if left_out_count is None else left_out_count) - MOST_SHOWN),
        "nothing": not rows,
        "confirm_label": confirm_label,
        "danger": danger,
    }
    return TemplateResponse(request, "desk/confirm.html", context)
