"""Write to bots, and look at what owners are told."""

from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import event
from bot.tests.support.fakes import ScriptedModel, work_until


def write(bot: ActiveBot, external_id: str, address: str, model: ScriptedModel, **fields: object) -> None:
    accept.accept(bot, [event(external_id, address=address, **fields)])
    work_until(model=model)
