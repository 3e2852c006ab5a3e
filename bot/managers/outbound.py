"""The outbox."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection, models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Coalesce, NullIf
from django.utils import timezone

from bot.managers.sql import rows_of, time_value

if TYPE_CHECKING:
    from bot.models import OutboundMessage  # noqa: F401 (named in the queryset's type)

# What a delivery status may follow. A provider's word arrives in any order, also before our own record of the send.
STATUS_MAY_FOLLOW: dict[str, tuple[str, ...]] = {
    "sent": ("queued", "sending", "uncertain"),
    "delivered": ("queued", "sending", "uncertain", "sent"),
    "read": ("queued", "sending", "uncertain", "sent", "delivered"),
    "failed": ("queued", "sending", "uncertain", "sent"),
}


@dataclass(frozen=True, slots=True)
class SendRecord:
    """What we know of one send: sent (with the provider's id), failed, uncertain or expired."""

    outbound_id: int
    status: str
    external_id: str = ""
    error_code: str = ""


class OutboundMessageQuerySet(models.QuerySet["OutboundMessage"]):
    """The outbox."""

    def apply_status(
        self, bot_ids: Iterable[int], status: str, *, outbound_id: int | None, external_id: str, error_code: str
    ) -> int:
        """Move one message forward to what the provider says became of it; 0 when unknown or already further.

        It is found by our own id where the provider echoes one, else by the provider's. An echoed id counts only within
        the bots the webhook was signed for.
        """
        match = Q(external_id=external_id) if outbound_id is None else Q(pk=outbound_id)
        # A text that arrived is not needed any more.
        emptied = {"text": ""} if status in ("delivered", "read") else {}
        return self.filter(match, bot_id__in=bot_ids, status__in=STATUS_MAY_FOLLOW[status]).update(
            **emptied,
            status=status,
            external_id=Coalesce(NullIf(F("external_id"), Value("")), Value(external_id)),
            error_code=error_code,
            updated_at=timezone.now(),
        )

    def begin_sending(self, ids: Iterable[int]) -> int:
        """Mark queued messages as being sent, before the request goes out."""
        return self.filter(id__in=ids, status="queued").update(
            status="sending", attempts=F("attempts") + 1, updated_at=timezone.now()
        )

    def requeue(self, outbound_id: int, error_code: str) -> int:
        """Put a message back that the provider certainly did not take."""
        return self.filter(id=outbound_id, status="sending").update(
            status="queued", error_code=error_code, updated_at=timezone.now()
        )

    def record(self, sends: Sequence[SendRecord]) -> None:
        """Record our own view of sends, in one statement.

        A status webhook may have been faster and have said more; then only the provider's id is added.
        """
        if not sends:
            return
        values = rows_of(len(sends), "(%s, %s, %s, %s)")
        unsettled = "bot_outboundmessage.status IN ('queued', 'sending')"
        statement = f"""
            UPDATE bot_outboundmessage SET
                status = CASE WHEN {unsettled} THEN send.column2 ELSE bot_outboundmessage.status END,
                error_code = CASE WHEN {unsettled} THEN send.column3 ELSE bot_outboundmessage.error_code END,
                external_id = COALESCE(NULLIF(bot_outboundmessage.external_id, ''), send.column4),
                updated_at = %s
            FROM (VALUES {values}) AS send WHERE bot_outboundmessage.id = send.column1
        """  # noqa: S608 (only placeholders are put in)
        parameters: list[Any] = [time_value(timezone.now())]
        for send in sends:
            parameters += (send.outbound_id, send.status, send.error_code, send.external_id)
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)

    def abandon(self, turn_key: int, error_code: str) -> int:
        """End the parts of a turn that is over: never sent ones have failed, one that was being sent is uncertain."""
        return self.filter(turn_key=turn_key, status__in=("queued", "sending")).update(
            status=Case(When(status="sending", then=Value("uncertain")), default=Value("failed")),
            error_code=error_code,
            updated_at=timezone.now(),
        )
