"""The fault harness: crash points, servers that can be stopped, and one judgement of what became of everything.

It lives with the tests: processes under test load it through bot.tests.system.faults.settings, Parley never does.
"""
