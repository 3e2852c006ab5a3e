"""Say openly where a row of the inbox comes from."""

from typing import Any

from django.db import migrations, models


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
    ]
