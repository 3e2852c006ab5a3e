"""Stand-ins of the providers Parley talks to: real HTTP servers, for tests and benchmarks, that log every request.

`python -m bot.dev.standins model --log model.jsonl` runs one; `StandIn.start("model")` runs one from a test.
"""

from bot.dev.standins.process import StandIn

__all__ = ["StandIn"]
