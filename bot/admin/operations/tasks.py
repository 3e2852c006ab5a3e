"""django-q2's tasks in the admin, to look at: what failed, what waits."""

from typing import Any

import django_q.admin  # noqa: F401 (registers its pages, before they are taken away)
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django_q.conf import Conf
from django_q.models import Failure, OrmQ, Success, Task

from bot.admin.widgets import ago
from bot.operations.schedules import KNOWN
from config.desk.lists import ReadOnlyDeskAdmin

LONGEST_SHOWN = 200
# What django-q2 puts between an error's text and where it was raised.
TRACE = " : Traceback"

admin.site.unregister([Failure, Success])


class TaskRowAdmin(ReadOnlyDeskAdmin):
    """Rows that the scheduler writes.

    django-q2's own pages take names of functions, and run tasks again with their pickled arguments.
    """

    actions = ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: they go with the daily purge."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse, to owners as well."""
        return False


class FinishedAdmin(TaskRowAdmin):
    """Tasks that ran, without what they were given."""

    list_display = ("what", "started_at", "took", "said")
    list_display_links = ("what",)
    sortable_by = ()
    fields = ("what", "started", "stopped", "attempt_count", "said")
    readonly_fields = ("what", "said")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the tasks, without the pickles of what they were given."""
        tasks: QuerySet[Any] = super().get_queryset(request)
        return tasks.defer("args", "kwargs")

    @admin.display(description=_("what"))
    def what(self, task: Task) -> str:
        """Return which of Parley's schedules it was."""
        return title_of(task.func)

    @admin.display(description=_("started"))
    def started_at(self, task: Task) -> SafeString:
        """Return when it began."""
        return ago(task.started)

    @admin.display(description=_("took"))
    def took(self, task: Task) -> str:
        """Return how many seconds it took."""
        return _("%(seconds).1f s") % {"seconds": task.time_taken()}

    @admin.display(description=_("how it ended"))
    def said(self, task: Task) -> str:
        """Return what it said of its failure."""
        return said_of(task)


@admin.register(Success)
class SuccessAdmin(FinishedAdmin):
    """Tasks that ran well."""


@admin.register(Failure)
class FailureAdmin(FinishedAdmin):
    """Tasks that failed, and why."""


class QueueAdmin(TaskRowAdmin):
    """Tasks that wait."""

    list_display = ("what", "since")
    list_display_links = ("what",)
    sortable_by = ()
    fields = ("what", "lock")
    readonly_fields = ("what",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows of the database that the scheduler keeps them in."""
        waiting: QuerySet[Any] = super().get_queryset(request)
        return waiting.using(Conf.ORM)

    @admin.display(description=_("what"))
    def what(self, waiting: OrmQ) -> str:
        """Return which of Parley's schedules waits."""
        return title_of(str(waiting.task.get("func", "")))

    @admin.display(description=_("waits since"))
    def since(self, waiting: OrmQ) -> SafeString:
        """Return since when it may be run."""
        return ago(waiting.lock)


# Where Redis carries them there is no table, and django-q2 registers no page.
if admin.site.is_registered(OrmQ):
    admin.site.unregister(OrmQ)
    admin.site.register(OrmQ, QueueAdmin)


def title_of(func: str) -> str:
    """Return the name of the schedule of ours that calls a function."""
    return next((str(known.title) for known in KNOWN.values() if known.func == func), str(_("not Parley's")))


def said_of(task: Task) -> str:
    """Return how a task ended. Only ours are quoted, which withhold what an error quotes: others' may hold anything."""
    if task.success:
        return str(_("without an error"))
    if task.func not in {known.func for known in KNOWN.values()}:
        return str(_("withheld: it is not one of Parley's tasks"))
    text = str(task.result or "").partition(TRACE)[0].strip()
    return text[:LONGEST_SHOWN] or "–"
