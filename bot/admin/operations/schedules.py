"""What runs by itself, in the admin: Parley's schedules, to look at and to run at once.

Nothing here takes the name of a function, arguments or a pickle from anybody: an owner's browser is no shell.
"""

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST
from django_q.models import Failure, Schedule

from bot.admin.operations.tasks import TaskRowAdmin, said_of
from bot.admin.widgets import ago, chip
from bot.models import Heartbeat
from bot.monitoring.heartbeats import Kind, alive_since
from bot.operations.schedules import KNOWN, key_of, run_now
from users.models import User
from users.permissions import Permission, may

logger = logging.getLogger(__name__)

MOST_FAILURES = 100

admin.site.unregister(Schedule)


@admin.register(Schedule)
class ScheduleAdmin(TaskRowAdmin):
    """When the purge, the alerts and the other daily work run, and how it went last."""

    list_display = ("what", "timing", "next", "last_run", "outcome", "run_button")
    list_display_links = ("what",)
    sortable_by = ("next",)
    ordering = ("next_run",)
    fields = ("what", "sentence", "timing", "next_run", "last_run", "outcome")
    readonly_fields = ("what", "sentence", "timing", "last_run", "outcome")
    change_form_template = "admin/django_q/schedule/change_form.html"
    list_before_template = "admin/django_q/schedule/intro.html"

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Return the list, with how each of its schedules failed last: one query for all."""
        changelist = super().get_changelist_instance(request)
        know_failures(changelist.result_list)
        return changelist

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return a schedule, with how it failed last."""
        row = super().get_object(request, object_id, from_field)
        return know_failures([row])[0] if row else None

    def get_urls(self) -> list[URLPattern]:
        """Add the address that the button posts to."""
        own = self.admin_site.admin_view(require_POST(self.run_view))
        return [path("run/<slug:key>/", own, name="django_q_schedule_run"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Say above the list when no scheduler runs."""
        return super().changelist_view(request, {**(extra_context or {}), "scheduler_lives": scheduler_lives()})

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Show the button on the page of a schedule of ours, and its name instead of its function's."""
        row = self.get_object(request, unquote(object_id)) if object_id else None
        own = {"subtitle": self.what(row), "run_key": key_of(row)} if row else {}
        context = {**(extra_context or {}), **own, "scheduler_lives": scheduler_lives()}
        return super().changeform_view(request, object_id, form_url, context)

    def run_view(self, request: HttpRequest, key: str) -> HttpResponse:
        """Queue one of Parley's own schedules at once."""
        staff = cast(User, request.user)
        if not may(staff, Permission.MANAGE_SCHEDULES):
            raise PermissionDenied
        if key not in KNOWN:
            raise Http404
        if scheduler_lives():
            run_now(key)
            logger.info("schedule_run_by_hand", extra={"schedule": key, "staff": staff.pk})
            for row in Schedule.objects.filter(name=KNOWN[key].name)[:1]:
                self.log_change(request, row, "Run by hand.")
            text = _("“%(title)s” was started. What goes wrong appears under Failed tasks.")
            self.message_user(request, text % {"title": KNOWN[key].title}, messages.SUCCESS)
        else:
            text = _("Nothing was started: no scheduler is running. Start it with manage.py qcluster.")
            self.message_user(request, text, messages.ERROR)
        return redirect("admin:django_q_schedule_changelist")

    @admin.display(description=_("what"))
    def what(self, row: Schedule) -> str:
        """Return what it does, in Parley's words."""
        if key := key_of(row):
            return str(KNOWN[key].title)
        return format_html("{} {}", row.name or row.pk, chip(_("not Parley's"), "bad"))

    @admin.display(description=_("what it does"))
    def sentence(self, row: Schedule) -> str:
        """Return a sentence about it."""
        if key := key_of(row):
            return str(KNOWN[key].sentence)
        text = _(
            "This row was written to the database by somebody else, or changed there. The scheduler runs what it "
            "names: %(func)s. If nobody of yours has made it, delete it from django_q_schedule, and change your "
            "passwords."
        )
        return text % {"func": row.func}

    @admin.display(description=_("when"))
    def timing(self, row: Schedule) -> str:
        """Return how often it runs."""
        if row.schedule_type == Schedule.MINUTES and row.minutes:
            if row.minutes == 1:
                return str(_("every minute"))
            return str(ngettext("every %d minute", "every %d minutes", row.minutes) % row.minutes)
        return str(row.get_schedule_type_display())

    @admin.display(description=_("next run"), ordering="next_run")
    def next(self, row: Schedule) -> SafeString:
        """Return when it runs next."""
        return ago(row.next_run)

    @admin.display(description=_("last run"))
    def last_run(self, row: Schedule) -> SafeString:
        """Return when it was to run last."""
        return ago(last_due(row))

    @admin.display(description=_("how it ended"))
    def outcome(self, row: Schedule) -> str:
        """Return how the last run ended: a task that went well leaves no row."""
        key, due = key_of(row), last_due(row)
        if key is None:
            return "–"
        failure = getattr(row, "failure", None)
        if failure and (due is None or failure.started >= due):
            return format_html("{} {}", chip(_("failed"), "bad"), said_of(failure))
        return chip(_("without an error"), "good") if due else chip(_("has not run yet"))

    @admin.display(description=_("run"))
    def run_button(self, row: Schedule) -> str:
        """Return a button that runs it, if it is one of ours (a button of the list's own form, which has the token)."""
        if (key := key_of(row)) is None:
            return "–"
        button = '<button type="submit" class="desk-button small" formaction="{}" formnovalidate>{}</button>'
        return format_html(button, reverse("admin:django_q_schedule_run", args=(key,)), _("Run now"))


def know_failures(rows: Iterable[Schedule]) -> list[Schedule]:
    """Note in rows of schedules the last task of each that failed. Failures are few: they go after 30 days."""
    rows = list(rows)
    failed = Failure.objects.filter(func__in={row.func for row in rows}).defer("args", "kwargs").order_by("-stopped")
    latest: dict[str, Failure] = {}
    for task in failed[:MOST_FAILURES]:
        latest.setdefault(task.func, task)
    for row in rows:
        row.failure = latest.get(row.func)
    return rows


def scheduler_lives() -> bool:
    """Return whether a scheduler was seen lately."""
    since = alive_since(Kind.SCHEDULER, timezone.now())
    return Heartbeat.objects.filter(kind=Kind.SCHEDULER, seen_at__gt=since).exists()


def last_due(row: Schedule) -> datetime | None:
    """Return when a schedule was to run last, None if it never did: the scheduler keeps only the next time."""
    if key_of(row) is None or not row.task or not row.next_run:
        return None
    ahead: datetime = row.calculate_next_run(row.next_run)
    due: datetime = row.next_run - (ahead - row.next_run)
    return due
