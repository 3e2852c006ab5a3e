import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("bot", "0007_desk_indexes"),
    ]

    operations = [
        migrations.AddField(
            model_name="bot",
            name="preview_of",
            field=models.OneToOneField(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="preview",
                to="bot.bot",
                verbose_name="preview of",
            ),
        ),
    ]
