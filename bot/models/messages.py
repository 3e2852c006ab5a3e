"""The inbox that is also the queue, the outbox, and the leases."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bot.managers import InboundMessageQuerySet, LeaseQuerySet, OutboundMessageQuerySet
from bot.models.bots import Bot

ADDRESS_LENGTH = 255
EXTERNAL_ID_LENGTH = 255
REQUEST_ID_LENGTH = 32
FILENAME_LENGTH = 100


class InboundMessage(models.Model):
    """A message a webhook delivered. Pending rows are the queue; others stay for 8 days to recognise redeliveries."""

    class State(models.TextChoices):
        PENDING = "pending", _("pending")
        DONE = "done", _("done")
        DEAD = "dead", _("dead letter")
        QUARANTINED = "quarantined", _("quarantined")

    # No constraint in the database: checking it would lock the bot's one row for every message that arrives.
    bot = models.ForeignKey(Bot, models.CASCADE, db_constraint=False, db_index=False, related_name="inbound_messages")
    external_id = models.CharField(_("external id"), max_length=EXTERNAL_ID_LENGTH)
    address = models.CharField(_("address"), max_length=ADDRESS_LENGTH)
    kind = models.CharField(_("kind"), max_length=30)
    payload = models.JSONField(_("payload"), default=dict, blank=True)
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.PENDING)
    turn_key = models.BigIntegerField(_("turn key"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    error_code = models.CharField(_("error code"), max_length=100, blank=True, default="")
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    # No index on times: rows are purged in the order of their ids, and every index is paid for by every webhook.
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    available_at = models.DateTimeField(_("available"), default=timezone.now)
    # What `manage.py trace` tells: the delivery that brought it, and how long the stages of its turn took.
    request_id = models.CharField(_("request id"), max_length=REQUEST_ID_LENGTH, blank=True, db_default="")
    begun_at = models.DateTimeField(_("begun"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    steps = models.JSONField(_("steps"), null=True, blank=True)

    objects = InboundMessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("inbound message")
        verbose_name_plural = _("inbound messages")
        constraints = [models.UniqueConstraint(fields=["bot", "external_id"], name="inbound_once")]
        indexes = [
            models.Index(fields=["available_at"], name="inbound_queue", condition=Q(state="pending")),
            models.Index(fields=["bot", "address"], name="inbound_chat", condition=Q(state="pending")),
            # For the desk: a chat's or a bot's messages; and what is rare, in indexes that are small while it is.
            models.Index(fields=["bot", "address", "id"], name="inbound_of_chat"),
            models.Index(
                fields=["state", "id"], name="inbound_problems", condition=Q(state__in=("dead", "quarantined"))
            ),
            models.Index(fields=["kind", "id"], name="inbound_other_kinds", condition=~Q(kind="text")),
            models.Index(fields=["error_code", "-id"], name="inbound_failed", condition=~Q(error_code="")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk} ({self.state})"


class OutboundMessage(models.Model):
    """One part of a reply, stored before it is sent."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("queued")
        SENDING = "sending", _("sending")
        SENT = "sent", _("sent")
        DELIVERED = "delivered", _("delivered")
        READ = "read", _("read")
        FAILED = "failed", _("failed")
        UNCERTAIN = "uncertain", _("uncertain")
        EXPIRED = "expired", _("expired")

    bot = models.ForeignKey(Bot, models.CASCADE, db_constraint=False, db_index=False, related_name="outbound_messages")
    address = models.CharField(_("address"), max_length=ADDRESS_LENGTH)
    turn_key = models.BigIntegerField(_("turn key"))
    part = models.PositiveSmallIntegerField(_("part"))
    text = models.TextField(_("text"), blank=True)
    # What makes it a document: the text is then the document's content.
    filename = models.CharField(_("file name"), max_length=FILENAME_LENGTH, blank=True, default="", db_default="")
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.QUEUED)
    external_id = models.CharField(_("external id"), max_length=EXTERNAL_ID_LENGTH, blank=True, default="")
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    error_code = models.CharField(_("error code"), max_length=100, blank=True, default="")
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    updated_at = models.DateTimeField(_("updated"), default=timezone.now)
    sending_at = models.DateTimeField(_("sending"), null=True, blank=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    delivered_at = models.DateTimeField(_("delivered"), null=True, blank=True)
    read_at = models.DateTimeField(_("read"), null=True, blank=True)

    objects = OutboundMessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("outbound message")
        verbose_name_plural = _("outbound messages")
        constraints = [models.UniqueConstraint(fields=["turn_key", "part"], name="outbound_once")]
        indexes = [
            models.Index(fields=["bot", "external_id"], name="outbound_external", condition=~Q(external_id="")),
            # For the desk: a chat's or a bot's messages; and what went wrong. (No index of the status, which every
            # delivery status changes: while its indexed columns stay, a row is updated without touching an index.)
            models.Index(fields=["bot", "address", "id"], name="outbound_of_chat"),
            models.Index(fields=["id"], name="outbound_problems", condition=~Q(error_code="")),
        ]

    def __str__(self) -> str:
        return f"{self.turn_key}/{self.part} ({self.status})"

    def settle_by_hand(self, status: str, error_code: str) -> None:
        """Write what staff know or decide of a message whose row is locked."""
        self.status, self.error_code, self.updated_at = status, error_code, timezone.now()
        if status == self.Status.QUEUED:
            self.external_id = ""  # the provider will call it otherwise when it is sent again
        self.save(update_fields=["status", "error_code", "external_id", "updated_at"])


class Lease(models.Model):
    """The right to work on a chat until expires_at. The fence grows with every owner and never shrinks."""

    bot = models.ForeignKey(Bot, models.CASCADE, db_constraint=False, db_index=False, related_name="leases")
    address = models.CharField(_("address"), max_length=ADDRESS_LENGTH)
    worker = models.CharField(_("worker"), max_length=100, blank=True, default="")
    fence = models.BigIntegerField(_("fence"), default=1)
    deaths = models.PositiveSmallIntegerField(
        _("deaths"), default=0, help_text=_("How many owners died holding it, one after the other.")
    )
    expires_at = models.DateTimeField(_("expires"))

    objects = LeaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("lease")
        verbose_name_plural = _("leases")
        constraints = [models.UniqueConstraint(fields=["bot", "address"], name="lease_once")]
        indexes = [models.Index(fields=["deaths"], name="lease_suspect", condition=Q(deaths__gt=1))]

    def __str__(self) -> str:
        return f"{self.pk} (fence {self.fence})"
