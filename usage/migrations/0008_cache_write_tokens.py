from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("usage", "0007_desk_closed_days")]

    operations = [
        migrations.AddField(
            model_name="usagerecord",
            name="cache_write_tokens",
            # With a default of the database's: workers of the version before go on recording during an upgrade.
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                help_text="Input tokens that the provider has written into its cache.",
                verbose_name="cache write tokens",
            ),
        ),
    ]
