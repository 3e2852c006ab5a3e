"""What a day has cost is found by day; and people are known to have been there whose calls are on record."""

from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def note_last_seen(apps, schema_editor):
    """Take a person's last call for when they last wrote: what is known of the time before that was noted."""
    records = apps.get_model("usage", "UsageRecord").objects.filter(user=OuterRef("pk")).order_by("-created_at")
    people = apps.get_model("users", "User").objects.filter(last_seen_at=None)
    people.update(last_seen_at=Subquery(records.values("created_at")[:1]))


class Migration(migrations.Migration):

    dependencies = [
        ('usage', '0005_usageday'),
        ('users', '0005_last_seen'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='dailyspend',
            index=models.Index(fields=['day', 'user'], name='usage_spend_of_day'),
        ),
        migrations.RunPython(note_last_seen, migrations.RunPython.noop),
    ]
