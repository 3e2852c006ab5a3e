"""Try a bot's prompt in the simulator before people get it.

A preview is a bot of its own on the console channel, with the limits of the bot it belongs to. So a worker answers it
like any other, its conversations are apart, and its costs are accounted for under its own slug. Nobody meets it but who
opens it in the simulator; the purge deletes it a day after it was made or changed.
"""

import math
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from bot.models import Bot
from bot.queue.snapshot import FRESH_SECONDS, forget
from conversations.models import Conversation

# What is tried, and what is as it is for people.
TRIED = ("system_prompt", "model", "reasoning_effort", "allowed_models", "language")
SAME = (
    *("burst_wait_seconds", "tells_strangers"),
    *("daily_budget_micros", "user_daily_budget_micros", "rate_limit_per_minute"),
)
SUFFIX = "-preview"


def make_preview(bot: Bot, tried: dict[str, Any]) -> Bot:
    """Return the bot's preview with what is to be tried (TRIED), and nothing that was said to it before."""
    fields = {
        "name": (_("%(bot)s (preview)") % {"bot": bot})[: Bot._meta.get_field("name").max_length],
        "channel": "console",
        "is_active": True,
        "paused_at": None,
        **{name: getattr(bot, name) for name in SAME},
        **{name: tried[name] for name in TRIED},
    }
    preview, _created = Bot.objects.update_or_create(
        preview_of=bot, defaults=fields, create_defaults={**fields, "slug": _free_slug(bot)}
    )
    Conversation.objects.filter(bot=preview.slug).delete()
    forget()
    return preview


def use_preview(bot: Bot) -> list[str]:
    """Give people what a bot's preview tries; return the names of the fields that are others now."""
    preview = bot.preview
    changed = [name for name in TRIED if getattr(bot, name) != getattr(preview, name)]
    for name in changed:
        setattr(bot, name, getattr(preview, name))
    bot.save(update_fields=[*changed, "updated_at"])
    return changed


def seconds_until_known(slug: str) -> int:
    """Return for how long workers may still answer with what a preview was before; of no other bot."""
    changed_at = Bot.objects.filter(slug=slug).exclude(preview_of=None).values_list("updated_at", flat=True).first()
    if changed_at is None:
        return 0
    return max(0, math.ceil(FRESH_SECONDS - (timezone.now() - changed_at).total_seconds()))


def _free_slug(bot: Bot) -> str:
    longest = (Bot._meta.get_field("slug").max_length or 0) - len(SUFFIX)
    slug = f"{bot.slug[:longest]}{SUFFIX}"
    # (Somebody may have called a bot so.)
    return f"preview-{bot.pk}-{timezone.now():%H%M%S}" if Bot.objects.filter(slug=slug).exists() else slug
