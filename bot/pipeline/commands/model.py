"""/model: list the models of a bot, and choose one."""

import difflib

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bot.models import ModelChoice
from bot.pipeline.commands.registry import command
from bot.pipeline.commands.shared.wording import quoted
from bot.pipeline.services import Services
from bot.pipeline.turn import Turn

DEFAULT = "default"


@command(
    "model",
    gettext_lazy("which model answers you, and the choice of another"),
    argument=gettext_lazy("[NAME]"),
    order=4,
)
async def choose_model(turn: Turn, services: Services, argument: str) -> str:
    """Choose the model of the person's chats with this bot by name or number; without an argument list the models."""
    offered = models_offered(turn)
    if len(offered) == 1:
        return _("This bot has one model: %(model)s. There is no choice.") % {"model": turn.own_model}
    if not argument:
        return list_of_models(turn, offered)
    model = find_model(argument, offered)
    if model is None:
        return unknown_model(argument, offered)
    is_default = model == turn.own_model
    choices, chooser = ModelChoice.objects.all(), (turn.bot.id, turn.person.pk)
    if is_default:  # delete also a choice the bot does not allow now, which would come back once it does again
        await services.database.run(choices.choose_default, *chooser)
    elif model != turn.model:
        await services.database.run(choices.choose, *chooser, model)
    if model == turn.model:
        return _("%(model)s answers you already.") % {"model": model}
    if is_default:
        return _("From now on %(model)s answers you: this bot's default.") % {"model": model}
    return _("From now on %(model)s answers you. /model default goes back.") % {"model": model}


def models_offered(turn: Turn) -> list[str]:
    """Return the models to choose from: the bot's own, then the others it allows."""
    return list(dict.fromkeys((turn.own_model, *turn.bot.allowed_models)))


def list_of_models(turn: Turn, offered: list[str]) -> str:
    """Return the numbered list of models, the current one marked."""
    lines = []
    for number, model in enumerate(offered, start=1):
        notes = [_("default")] if model == turn.own_model else []
        notes += [_("answers you now")] if model == turn.model else []
        lines.append(f"{number}. {model}" + (f" ({', '.join(notes)})" if notes else ""))
    return "\n".join([_("Models of this bot:"), *lines, _("Choose with /model and a number or name.")])


def find_model(wanted: str, offered: list[str]) -> str | None:
    """Return the model named by "default", by a case-insensitive name, or by a number of the list."""
    by_number = {str(number): model for number, model in enumerate(offered, start=1)}
    by_name = {model.casefold(): model for model in offered}
    return {**by_number, **by_name, DEFAULT: offered[0]}.get(wanted.casefold())


def unknown_model(wanted: str, offered: list[str]) -> str:
    """Return a reply that there is no such model, with the closest name."""
    by_name = {model.casefold(): model for model in offered}
    near = difflib.get_close_matches(wanted.casefold(), by_name, n=1)
    if near:
        return _("There is no model %(wanted)s here. Did you mean /model %(nearest)s?") % {
            "wanted": quoted(wanted),
            "nearest": by_name[near[0]],
        }
    return _("There is no model %(wanted)s here. /model lists those there are.") % {"wanted": quoted(wanted)}
