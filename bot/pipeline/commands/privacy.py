"""/privacy: explain what is held about the sender, for how long, and who else gets it. For everybody."""

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from bot.pipeline.commands.registry import command
from bot.pipeline.services import Services
from bot.pipeline.turn import Turn


@command("privacy", gettext_lazy("what I keep of you, and for how long"), order=6, for_everybody=True)
async def privacy(turn: Turn, services: Services, argument: str) -> str:
    """Return in short what is held, for how long, and who else gets it."""
    kept = {"conversation": _days(settings.CONVERSATION_TTL_DAYS), "usage": _days(settings.USAGE_RETENTION_DAYS)}
    lines = (
        _("What I keep of you:"),
        _("• Who you are here: your number or id, your name, and what you have chosen. Until you are taken out."),
        _("• Our conversation: until %(conversation)s after your last message.") % kept,
        _("• That you wrote and what was sent to you: about a week; the texts until they were answered or delivered."),
        _("• What your answers cost: %(usage)s.") % kept,
        _("What you write, and our conversation, goes to the provider of my AI model, to answer you."),
        _("/export sends you everything that is held about you. /forget deletes it."),
    )
    return "\n".join(lines)


def _days(number: int) -> str:
    return ngettext("%d day", "%d days", number) % number
