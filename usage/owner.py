"""Whose spend a row is, as the unique index of DailySpend has it: what finds the row at once."""

from django.db.models import BigIntegerField, F, Func

# A person's id, 0 for a bot's and for everybody's. The 0 is written out: SQLite compares an index's expression with a
# query's as it stands, and a parameter is not a 0.
OWNER = Func(F("user"), template="COALESCE(%(expressions)s, 0)", output_field=BigIntegerField())
