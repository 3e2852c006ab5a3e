from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("users", "0007_invite_digests"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="numbered_at",
            field=models.DateTimeField(
                blank=True,
                editable=False,
                help_text="When the phone number was changed last. Empty: never.",
                null=True,
                verbose_name="number since",
            ),
        ),
    ]
