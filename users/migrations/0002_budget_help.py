
import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('users', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='user',
            name='daily_budget_micros',
            field=models.BigIntegerField(blank=True, help_text='In micro-dollars (1,000,000 are one dollar). Empty: USER_DAILY_BUDGET_USD.', null=True, validators=[django.core.validators.MinValueValidator(0)], verbose_name='daily budget'),
        ),
    ]
