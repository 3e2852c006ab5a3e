"""Choose a model in a chat."""

from bot.tests.support.fakes import ScriptedModel


def asked(model: ScriptedModel) -> list[str]:
    return [request.model for request in model.history]
