"""The bots in the admin: their settings, and their secrets, which are written and never shown."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.widgets import UnfoldAdminPasswordWidget

from bot.admin.connections import ConnectionAdmin
from bot.channels.registry import CHANNELS
from bot.fields import Unreadable
from bot.models import Bot
from users.models import User
from users.permissions import Permission, may

SECRET_PREFIX = "credential_"  # noqa: S105 (a form field's name)


class BotForm(forms.ModelForm):  # type: ignore[type-arg]
    """A bot's settings, with one write-only field for each secret of its channel."""

    class Meta:
        model = Bot
        fields = (
            "name",
            "slug",
            "channel",
            "is_active",
            "account_id",
            "language",
            "system_prompt",
            "model",
            "allowed_models",
            "burst_wait_seconds",
            "tells_strangers",
            "contact",
            "daily_budget_micros",
            "user_daily_budget_micros",
            "rate_limit_per_minute",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in secret_fields(self.instance):
            self.fields[field] = self._secret_field(field)
        if self.instance.pk and "channel" in self.fields:  # (not for who only looks)
            self.fields["channel"].disabled = True
        if "account_id" in self.fields:
            self.fields["account_id"].label = str(CHANNELS[self.instance.channel].account_label)

    def clean_contact(self) -> str:
        """Return the contact as its channel stores it."""
        channel = CHANNELS.get(self.instance.channel)
        contact: str = self.cleaned_data["contact"]
        try:
            return channel.read_contact(contact) if channel else contact
        except ValueError as error:
            raise ValidationError(str(error), code="invalid") from None

    def save(self, commit: bool = True) -> Bot:
        """Save the bot; a secret that was left empty stays as it is."""
        entered = {
            field.removeprefix(SECRET_PREFIX): self.cleaned_data[field].strip()
            for field in secret_fields(self.instance)
            if self.cleaned_data.get(field, "").strip()
        }
        if entered:
            self.instance.credentials = {**self.instance.credentials, **entered}
        if entered or "account_id" in self.changed_data:
            # A bot pauses when its token is refused: with another one it may try again.
            self.instance.paused_at, self.instance.pause_reason = None, ""
        bot: Bot = super().save(commit)
        return bot

    def _secret_field(self, field: str) -> forms.CharField:
        name = field.removeprefix(SECRET_PREFIX)
        credential = next(item for item in CHANNELS[self.instance.channel].credentials if item.name == name)
        placeholder = _("stored – leave empty to keep it") if self.instance.credentials.get(name) else ""
        if isinstance(self.instance.credentials, Unreadable):
            placeholder = _("encrypted with another SECRET_KEY – add that to SECRET_KEY_FALLBACKS, or enter it again")
        return forms.CharField(
            label=str(credential.label),
            required=False,
            widget=UnfoldAdminPasswordWidget(
                render_value=False,
                attrs={
                    "autocomplete": "new-password",
                    "placeholder": placeholder,
                },
            ),
            help_text=str(credential.help),
        )


def secret_fields(bot: Bot | None) -> list[str]:
    """Return the names of the form's secret fields: none until the bot was saved with a channel."""
    if bot is None or not bot.pk or bot.channel not in CHANNELS:
        return []
    return [f"{SECRET_PREFIX}{credential.name}" for credential in CHANNELS[bot.channel].credentials]


@admin.register(Bot)
class BotAdmin(ConnectionAdmin):
    """Bots: first name and channel, then (the page that follows) the channel's account and secrets."""

    form = BotForm
    list_display = ("name", "slug", "channel", "is_active", "pause_reason")
    list_filter = ("channel", "is_active", ("paused_at", admin.EmptyFieldListFilter))
    actions = ("resume",)
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    readonly_fields = ("webhook_url", "paused_at", "pause_reason", "created_at", "updated_at")

    def get_fieldsets(self, request: HttpRequest, obj: Bot | None = None) -> Any:
        """Show the channel's account and secrets once there is a channel."""
        if obj is None:
            return ((None, {"fields": ("name", "slug", "channel", "is_active")}),)
        secrets = secret_fields(obj) if self.has_change_permission(request, obj) else ()
        account = ("webhook_url", "account_id", *secrets)
        paused = ("paused_at", "pause_reason") if obj.paused_at else ()
        return (
            (None, {"fields": ("name", "slug", "channel", "is_active", *paused)}),
            (_("Account"), {"fields": account if CHANNELS[obj.channel].credentials else ("webhook_url",)}),
            (_("Answers"), {"fields": ("system_prompt", "model", "allowed_models", "burst_wait_seconds")}),
            (_("People"), {"fields": ("tells_strangers", "contact")}),
            (
                _("Limits"),
                {"fields": ("daily_budget_micros", "user_daily_budget_micros", "rate_limit_per_minute")},
            ),
            (_("Dates"), {"fields": ("created_at", "updated_at")}),
        )

    def get_form(self, request: HttpRequest, obj: Bot | None = None, change: bool = False, **kwargs: Any) -> Any:
        """Build the form without the secret fields, which it adds itself."""
        shown = [name for _, options in self.get_fieldsets(request, obj) for name in options["fields"]]
        kwargs["fields"] = [name for name in BotForm.Meta.fields if name in shown]
        return super().get_form(request, obj, change, **kwargs)

    def response_add(self, request: HttpRequest, obj: Bot, post_url_continue: str | None = None) -> Any:
        """Go on to the page where the account and the secrets are entered."""
        if CHANNELS[obj.channel].credentials and "_addanother" not in request.POST:
            data = request.POST.copy()
            data["_continue"] = "1"
            request.POST = data  # type: ignore[assignment]
        return super().response_add(request, obj, post_url_continue)

    def has_resume_permission(self, request: HttpRequest) -> bool:
        """Return whether somebody may let paused bots answer again."""
        return may(cast(User, request.user), Permission.RESUME_BOTS)

    @admin.action(description=_("Resume the selected bots"), permissions=["resume"])
    def resume(self, request: HttpRequest, queryset: Any) -> None:
        """Let paused bots answer again."""
        resumed = queryset.resume()
        self.message_user(request, ngettext("%d bot resumed.", "%d bots resumed.", resumed) % resumed)
