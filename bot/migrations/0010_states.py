"""Say openly where a row of the inbox comes from, and that nobody knows the end of a send."""

from typing import Any

from django.db import migrations, models
from django.db.models import Value
from django.db.models.functions import Concat, Substr

UNCERTAIN = "UNCERTAIN:"


def name_origins(apps: Any, schema_editor: Any) -> None:
    """Fill the column from what said it before: keys of the payload, and kinds together with our own external ids."""
    rows = apps.get_model("bot", "InboundMessage").objects.using(schema_editor.connection.alias)
    # (What is done has no payload any more. A provider may call a kind anything, but has no such ids.)
    rows.filter(payload__has_key="notice", state__in=("pending", "dead")).update(origin="notice")
    rows.filter(kind="notice", external_id__startswith="notice:").update(origin="notice")
    rows.filter(kind="farewell", external_id__startswith="farewell:").update(origin="farewell")
    rows.filter(kind="address_changed", state="done").update(origin="address_change")
    rows.filter(kind="rejected", state="quarantined").update(origin="rejected")


def mark_farewells(apps: Any, schema_editor: Any) -> None:
    """Let the version before know farewells that are not sent yet."""
    rows = apps.get_model("bot", "InboundMessage").objects.using(schema_editor.connection.alias)
    for row in rows.filter(origin="farewell", state="pending"):
        row.payload["farewell"] = True
        row.save(update_fields=["payload"])


def move_doubts(apps: Any, schema_editor: Any) -> None:
    """Move what was said by the beginning of an error code into its column."""
    rows = apps.get_model("bot", "OutboundMessage").objects.using(schema_editor.connection.alias)
    rows.filter(error_code="RESOLVED").update(doubt="RESOLVED", error_code="")
    unknown = rows.exclude(error_code="").filter(error_code__startswith=UNCERTAIN)
    unknown.update(doubt=Substr("error_code", len(UNCERTAIN) + 1), error_code="")


def move_doubts_back(apps: Any, schema_editor: Any) -> None:
    """Write doubts into the error code, where the version before looks for them."""
    rows = apps.get_model("bot", "OutboundMessage").objects.using(schema_editor.connection.alias)
    doubted = rows.filter(error_code="").exclude(doubt="")
    doubted.filter(doubt="RESOLVED").update(error_code="RESOLVED", doubt="")
    doubted.update(error_code=Concat(Value(UNCERTAIN), "doubt"))


class Migration(migrations.Migration):
    dependencies = [
        ("bot", "0009_bot_reasoning_effort"),
    ]

    operations = [
        migrations.AddField(
            model_name="inboundmessage",
            name="origin",
            field=models.CharField(
                choices=[
                    ("person", "Person"),
                    ("notice", "Notice"),
                    ("farewell", "Farewell"),
                    ("address_change", "Address Change"),
                    ("rejected", "Rejected"),
                ],
                db_default="person",
                max_length=14,
                verbose_name="origin",
            ),
        ),
        migrations.RunPython(name_origins, mark_farewells),
        migrations.AddIndex(
            model_name="inboundmessage",
            index=models.Index(
                condition=models.Q(("origin", "person"), _negated=True),
                fields=["origin", "id"],
                name="inbound_other_origins",
            ),
        ),
        migrations.AddField(
            model_name="outboundmessage",
            name="doubt",
            field=models.CharField(blank=True, db_default="", default="", max_length=90, verbose_name="doubt"),
        ),
        migrations.RunPython(move_doubts, move_doubts_back),
        migrations.RemoveIndex(model_name="outboundmessage", name="outbound_problems"),
        migrations.AddIndex(
            model_name="outboundmessage",
            index=models.Index(
                condition=models.Q(("doubt", ""), ("error_code", ""), _negated=True),
                fields=["id"],
                name="outbound_problems",
            ),
        ),
    ]
