"""The bots in the admin: adding one step by step, and the sections of its page."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bot.admin.bots.deletion import DeletionAdmin
from bot.admin.bots.form import BotForm, secret_fields
from bot.admin.bots.listing import BotListAdmin, state
from bot.admin.bots.pauses import PauseAdmin
from bot.admin.bots.previews import PreviewAdmin
from bot.admin.widgets import chip, copyable
from bot.channels.base import Channel
from bot.channels.registry import CHANNELS
from bot.models import Bot
from bot.operations.missing import missing_settings
from config.desk.money import exact


@admin.register(Bot)
class BotAdmin(BotListAdmin, PauseAdmin, PreviewAdmin, DeletionAdmin):
    """Bots: first the channel, then a form that asks for what this channel needs."""

    form = BotForm
    list_filter = ("channel", "is_active", ("paused_at", admin.EmptyFieldListFilter))
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    readonly_fields = ("webhook_url", "standing", "budget", "budget_of_each", "created_at", "updated_at")

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Ask for the channel first: what else a bot needs depends on it."""
        if request.method != "GET" or request.GET.get("channel") in CHANNELS or not self.has_add_permission(request):
            form: HttpResponse = super().add_view(request, form_url, extra_context)
            return form
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Add a bot: where do people write to it?"),
            "channels": CHANNELS.values(),
        }
        return TemplateResponse(request, "admin/bot/bot/channels.html", context)

    def get_fieldsets(self, request: HttpRequest, obj: Bot | None = None) -> Any:
        """Return the sections in the order in which an operator thinks of them."""
        if obj is None:
            return self._sections_of_new(request.POST.get("channel") or request.GET.get("channel") or "")
        changes = self.has_change_permission(request, obj)
        channel = CHANNELS.get(obj.channel)
        secrets = secret_fields(obj.channel) if changes else []
        budgets = ("daily_budget_micros", "user_daily_budget_micros") if changes else ("budget", "budget_of_each")
        account = {"fields": ("webhook_url", "account_id", *secrets, "contact"), "description": steps(channel)}
        prompt = ("system_prompt", "model", "reasoning_effort", "allowed_models", "language", "burst_wait_seconds")
        return (
            (None, {"fields": ("standing", "name", "slug", "channel", "is_active")}),
            (_("Prompt and answers"), {"fields": prompt}),
            *(((_("Account"), account),) if channel and channel.credentials else ()),
            (_("People and limits"), {"fields": ("tells_strangers", *budgets, "rate_limit_per_minute")}),
            (_("Dates"), {"fields": ("created_at", "updated_at")}),
        )

    def get_form(self, request: HttpRequest, obj: Bot | None = None, change: bool = False, **kwargs: Any) -> Any:
        """Build the form without the secret fields, which it adds itself."""
        shown = [name for _, options in self.get_fieldsets(request, obj) for name in options["fields"]]
        kwargs["fields"] = [name for name in BotForm.Meta.fields if name in shown]
        return super().get_form(request, obj, change, **kwargs)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Tell who corrects a form that its secrets have to be entered again."""
        form, bot = context["adminform"].form, context.get("original")
        if isinstance(form, BotForm) and form.errors:
            form.ask_again()
        context["may_pause"] = bot is not None and self.has_pause_permission(request)
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Bot, form: Any, change: bool) -> None:
        """Save the bot; of a new one keep what is shown once."""
        super().save_model(request, obj, form, change)
        if not change:
            request.made_up_secrets = form.made_up_secrets()  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: Bot, post_url_continue: str | None = None) -> Any:
        """Say what comes next: show once what is to be entered at the provider, or go on to the bot's page."""
        shown_once = getattr(request, "made_up_secrets", [])
        if shown_once:
            return self._next_steps(request, obj, shown_once)
        if "_addanother" not in request.POST:
            data = request.POST.copy()
            data["_continue"] = "1"
            request.POST = data  # type: ignore[assignment]
        return super().response_add(request, obj, post_url_continue)

    @admin.display(description=gettext_lazy("state"))
    def standing(self, bot: Bot) -> SafeString:
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
    def budget(self, bot: Bot) -> str:
        """Return the budget in dollars, for who only looks."""
        return "–" if bot.daily_budget_micros is None else exact(bot.daily_budget_micros)

    @admin.display(description=gettext_lazy("daily budget of each person"))
    def budget_of_each(self, bot: Bot) -> str:
        """Return each person's budget in dollars, for who only looks."""
        return "–" if bot.user_daily_budget_micros is None else exact(bot.user_daily_budget_micros)

    def _sections_of_new(self, channel: str) -> Any:
        secrets = secret_fields(channel)
        account = {"fields": ("account_id", *secrets, "contact"), "description": str(_MAY_FOLLOW)}
        return (
            (_("1. Name"), {"fields": ("name", "slug", "channel")}),
            *(((_("2. Account"), account),) if secrets else ()),
            (_("3. Prompt") if secrets else _("2. Prompt"), {"fields": ("system_prompt",)}),
        )

    def _next_steps(self, request: HttpRequest, bot: Bot, shown_once: list[Any]) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("%(bot)s: what comes next") % {"bot": bot},
            "original": bot,
            "webhook_url": self.webhook_url(bot),
            "shown_once": [(credential.label, copyable(secret)) for credential, secret in shown_once],
            "steps": CHANNELS[bot.channel].setup_steps,
            "missing": missing_settings(bot),
        }
        return TemplateResponse(request, "admin/bot/bot/next_steps.html", context)


_MAY_FOLLOW = gettext_lazy(
    "What you do not have yet can be entered later, on the bot’s page. Secrets are stored encrypted and never shown."
)


def steps(channel: Channel | None) -> SafeString:
    """Return what is to be done at the provider, as a list."""
    listed = format_html_join("", "<li>{}</li>", ((step,) for step in (channel.setup_steps if channel else ())))
    heading = _("To connect it: enter what follows, save, and then")
    return format_html('<p>{}</p><ol class="desk-steps">{}</ol>', heading, listed)
