"""django-q2's tables in the admin, looking like the rest: what is scheduled, and what failed."""

from django.contrib import admin
from django_q import admin as theirs
from django_q.models import Failure, OrmQ, Schedule, Success

from users.desk import DeskAdmin

admin.site.unregister([Failure, Schedule, Success])


@admin.register(Schedule)
class ScheduleAdmin(theirs.ScheduleAdmin, DeskAdmin):
    """When the purge, the alerts and the other daily work run."""


@admin.register(Success)
class SuccessAdmin(theirs.TaskAdmin, DeskAdmin):
    """Tasks that ran well."""


@admin.register(Failure)
class FailureAdmin(theirs.FailAdmin, DeskAdmin):
    """Tasks that failed, and why."""


class QueueAdmin(theirs.QueueAdmin, DeskAdmin):
    """Tasks that wait."""


# Where Redis carries them there is no table, and django-q2 registers no page.
if admin.site.is_registered(OrmQ):
    admin.site.unregister(OrmQ)
    admin.site.register(OrmQ, QueueAdmin)
