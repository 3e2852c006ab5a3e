"""What is deleted with a bot, counted as far as that is quick; and when its deletion is refused."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bot.models import Bot, InboundMessage

# More are for the daily purge, which leaves others their turn: a request has a minute.
MOST_DELETED = 10_000


def what_goes(bot: Bot) -> list[str]:
    """Return what is deleted with a bot, without reading a million messages."""
    count = _messages(bot)
    message = ngettext(
        "%(count)d message of the last days, with what became of it",
        "%(count)d messages of the last days, with what became of them",
        count,
    )
    return [
        _("the bot %(bot)s, its prompt and its credentials") % {"bot": bot},
        message % {"count": count},
        _("access requests made to it, and the models that people have chosen in it"),
    ]


def reasons_to_keep(bot: Bot) -> list[str]:
    """Return why a bot cannot be deleted now; nothing where it can."""
    waiting = InboundMessage.objects.filter(bot=bot, state=InboundMessage.State.PENDING)[:MOST_DELETED].count()
    if waiting:
        reason = ngettext(
            "%d message waits for an answer: let it be answered first (resume the bot if it is paused).",
            "%d messages wait for an answer: let them be answered first (resume the bot if it is paused).",
            waiting,
        )
        return [reason % waiting]
    if _messages(bot) > MOST_DELETED:
        many = _(
            "It has had more than %(most)d messages in the last 8 days. Make it inactive: it takes no more, "
            "the daily purge deletes those that are older than 8 days, and then it can be deleted."
        )
        return [many % {"most": MOST_DELETED}]
    return []


def _messages(bot: Bot) -> int:
    return InboundMessage.objects.filter(bot=bot)[: MOST_DELETED + 1].count()
