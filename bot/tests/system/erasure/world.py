"""What is there before anybody in particular: bots on every channel, an owner, and the sums of the day."""

from dataclasses import dataclass

from bot.channels.registry import CHANNELS
from bot.models import Bot
from bot.tests.support.factories import BotFactory, WhatsAppBotFactory
from usage.days import today
from usage.models import DailySpend, UsageDay
from users.models import User
from users.roles import Role

OWNER = "+12025550147"
PASSWORD = "correct horse battery staple"


@dataclass(frozen=True, slots=True)
class World:
    """The bots (two on each channel), and the owner, who acts on people in the admin and in a chat."""

    bots: tuple[Bot, ...]
    owner: User


def make_world() -> World:
    """Create it."""
    bots = [
        (WhatsAppBotFactory if channel == "whatsapp" else BotFactory).create(
            slug=f"{channel}-{number}", channel=channel
        )
        for channel in CHANNELS
        for number in (1, 2)
    ]
    owner = User.objects.create_superuser(OWNER, PASSWORD, name="Olivia", is_whitelisted=True)
    assert owner.role == Role.OWNER
    DailySpend.objects.create(day=today(), spent_micros=1_000)
    for bot in bots:
        DailySpend.objects.create(bot=bot.slug, day=today(), spent_micros=200)
    UsageDay.objects.create(
        day="2026-01-31", bot=bots[0].slug, kind="completion", model="gpt-6-luna",
        calls=3, input_tokens=30, cached_input_tokens=3, output_tokens=6, cost_micros=900, unpriced=1,
    )  # fmt: skip
    return World(tuple(bots), owner)
