
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('bot', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='bot',
            name='pause_reason',
            field=models.CharField(blank=True, default='', editable=False, max_length=100, verbose_name='why paused'),
        ),
        migrations.AddField(
            model_name='bot',
            name='paused_at',
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name='paused'),
        ),
        migrations.AddField(
            model_name='lease',
            name='deaths',
            field=models.PositiveSmallIntegerField(default=0, help_text='How many owners died holding it, one after the other.', verbose_name='deaths'),
        ),
        migrations.AddIndex(
            model_name='lease',
            index=models.Index(condition=models.Q(('deaths__gt', 1)), fields=['deaths'], name='lease_suspect'),
        ),
    ]
