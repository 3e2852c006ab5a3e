"""The audit log: who saw, exported, erased or changed whose data."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from users.models.person import User


class AuditEntry(models.Model):
    """That somebody saw, exported or erased a person's data, or changed what they may do. Written once, never changed.

    actor: the member of staff; empty: the person themselves, or who has the server's terminal.
    subject: the id the person has or had, which means nothing once they are erased; empty: who never had one.
    via: where it was done: chat, admin, simulator or command. details: counts, ids, amounts and masked numbers, never
    what was erased or read.
    """

    class Action(models.TextChoices):
        EXPORTED = "exported", _("exported")
        ERASED = "erased", _("erased")
        READ = "read", _("read")
        LINKED = "linked", _("address added")
        UNLINKED = "unlinked", _("address removed")
        NUMBER = "number", _("phone number changed")
        BUDGET = "budget", _("budget changed")
        ALLOWED = "allowed", _("let in")
        BLOCKED = "blocked", _("blocked")
        COMMAND = "command", _("command in the simulator")

    at = models.DateTimeField(_("at"), default=timezone.now, db_index=True)
    action = models.CharField(_("action"), max_length=10, choices=Action)
    subject = models.BigIntegerField(_("person's id"), null=True, blank=True, db_index=True)
    actor = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("by")
    )
    via = models.CharField(_("via"), max_length=10)
    details = models.JSONField(_("details"), default=dict, blank=True)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit log")
        # What the log is filtered by, in its order.
        indexes = [
            models.Index(fields=["action", "at", "id"], name="users_audit_action"),
            models.Index(fields=["via", "at", "id"], name="users_audit_via"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.pk}"
