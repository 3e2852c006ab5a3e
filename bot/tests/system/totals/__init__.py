"""Do the totals agree? What the model's stand-in billed against what Parley recorded, counted and reserved.

`python -m bot.tests.system.totals --turns 1000` is the long run, on the kind of database that DATABASE_URL names.
"""
