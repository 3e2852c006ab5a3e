"""/whoami: tell a person how the bot knows them."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bot.language import grouped
from bot.pipeline.commands.registry import command
from bot.pipeline.commands.shared.wording import tidy_name
from bot.pipeline.limiter import limit_of
from bot.pipeline.services import Services
from bot.pipeline.turn import Turn
from users.phone import mask


@command("whoami", gettext_lazy("what I know you as"), order=5)
async def who_am_i(turn: Turn, services: Services, argument: str) -> str:
    """Return who the person is to this bot, and what they may do."""
    person = turn.person
    number = mask(person.phone_number) if person.phone_number else _("none, known by an address")
    facts = (
        (_("Name"), tidy_name(person.name) or _("not known")),
        (_("Role"), str(person.get_role_display())),
        (_("Phone number"), number),
        (_("Channel"), str(turn.bot.channel.label)),
        (_("Bot"), turn.bot.slug),
        (_("Model"), turn.model),
        (_("Messages a minute"), grouped(limit_of(person, turn.bot).per_minute)),
    )
    return "\n".join(f"{label}: {value}" for label, value in facts)
