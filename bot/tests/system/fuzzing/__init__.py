"""Hostile deliveries, made from a random source: Hypothesis drives it in the suite, a seed in the long run.

`python -m bot.tests.system.fuzzing --payloads 100000 --database both` is the long run.
"""
