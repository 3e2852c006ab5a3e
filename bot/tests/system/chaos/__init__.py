"""The long run: a whole Parley under load while its processes, its servers and its providers fail at random.

`python -m bot.tests.system.chaos --mode kills --kills 300 --database both` prints what became of every message.
"""
