"""/reset: clear the conversation."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bot.pipeline.commands.registry import command
from bot.pipeline.services import Services
from bot.pipeline.turn import Turn
from conversations.models import Conversation


@command("reset", gettext_lazy("forget our conversation and start anew"), order=2)
async def reset(turn: Turn, services: Services, argument: str) -> str:
    """Clear the conversation."""
    await services.database.run(Conversation.objects.clear_conversation, turn.user, turn.bot.slug)
    return _("Done. I have forgotten our conversation.")
