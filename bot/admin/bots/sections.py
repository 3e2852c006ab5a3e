"""The sections of a bot's page and of the form for a new one, and what they show besides fields of the form."""

from typing import Any

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bot.admin.bots.connection import webhook_url
from bot.admin.bots.form import secret_fields
from bot.admin.bots.listing import state
from bot.admin.widgets import chip
from bot.channels.channel import Channel
from bot.channels.registry import CHANNELS
from bot.models import Bot
from bot.operations.missing import missing_settings
from config.desk.money import exact

_MAY_FOLLOW = gettext_lazy(
    "What you do not have yet can be entered later, on the bot’s page. Secrets are stored encrypted and never shown."
)


@admin.display(description=gettext_lazy("state"))
def standing(bot: Bot) -> SafeString:
    """Return how the bot stands, and what that means for who writes to it."""
    word, tone, reason = state(bot)
    means = ""
    if not bot.is_active:
        means = _("It answers nobody, and takes no messages: its webhook URL does not exist.")
    elif bot.channel and bot.channel not in CHANNELS:
        means = _("It takes no messages and answers nobody: choose another channel, or switch it off.")
    elif bot.paused_at:
        means = _("Messages to it are taken in and wait. They are answered, in order, when it is resumed.")
    elif bot.channel and missing_settings(bot):
        means = _("It can neither take messages nor answer until this is entered below.")
    return format_html('{} {}<br><span class="desk-quiet">{}</span>', chip(word, tone), reason, means)


@admin.display(description=gettext_lazy("daily budget"))
def budget(bot: Bot) -> str:
    """Return the budget in dollars, for who only looks."""
    return "–" if bot.daily_budget_micros is None else exact(bot.daily_budget_micros)


@admin.display(description=gettext_lazy("daily budget of each person"))
def budget_of_each(bot: Bot) -> str:
    """Return each person's budget in dollars, for who only looks."""
    return "–" if bot.user_daily_budget_micros is None else exact(bot.user_daily_budget_micros)


def sections_of(bot: Bot, changes: bool) -> Any:
    """Return the sections of a bot's page, for who changes it or only looks, in the order in which operators think."""
    channel = CHANNELS.get(bot.channel)
    secrets = secret_fields(bot.channel) if changes else []
    budgets = ("daily_budget_micros", "user_daily_budget_micros") if changes else (budget, budget_of_each)
    account = {"fields": (webhook_url, "account_id", *secrets, "contact"), "description": steps(channel)}
    prompt = ("system_prompt", "model", "reasoning_effort", "allowed_models", "language", "burst_wait_seconds")
    return (
        (None, {"fields": (standing, "name", "slug", "channel", "is_active")}),
        (_("Prompt and answers"), {"fields": prompt}),
        *(((_("Account"), account),) if channel and channel.credentials else ()),
        (_("People and limits"), {"fields": ("tells_strangers", *budgets, "rate_limit_per_minute")}),
        (_("Dates"), {"fields": ("created_at", "updated_at")}),
    )


def sections_of_new(channel: str) -> Any:
    """Return the sections of the form for a new bot of a channel."""
    secrets = secret_fields(channel)
    account = {"fields": ("account_id", *secrets, "contact"), "description": str(_MAY_FOLLOW)}
    return (
        (_("1. Name"), {"fields": ("name", "slug", "channel")}),
        *(((_("2. Account"), account),) if secrets else ()),
        (_("3. Prompt") if secrets else _("2. Prompt"), {"fields": ("system_prompt",)}),
    )


def steps(channel: Channel | None) -> SafeString:
    """Return what is to be done at the provider, as a list."""
    listed = format_html_join("", "<li>{}</li>", ((step,) for step in (channel.setup_steps if channel else ())))
    heading = _("To connect it: enter what follows, save, and then")
    return format_html('<p>{}</p><ol class="desk-steps">{}</ol>', heading, listed)
