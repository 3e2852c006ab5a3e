"""The form of a bot: its settings, and a field for each secret of its channel, which is written and never shown."""

from secrets import token_urlsafe
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from bot.channels.channel import Channel
from bot.channels.connection import Credential
from bot.channels.registry import CHANNELS, choices
from bot.models import Bot
from bot.models.encryption import Unreadable
from config.desk.dollar_field import DollarField
from config.environment.explain import mistake_in_secret

SECRET_PREFIX = "credential_"  # noqa: S105 (a form field's name)
NOT_ALONE = _("There is white space inside, or a quotation mark around it: paste the value alone.")
ENTER_AGAIN = _("not kept, because the form has errors – enter it again")


class PromptWidget(UnfoldAdminTextareaWidget):
    """An editor with room for a prompt; below it a button that tries it, where there is a bot to try it for."""

    try_url = ""

    def __init__(self) -> None:
        super().__init__(attrs={"rows": 14, "class": "desk-prompt"})

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Return the editor and its button, which posts the form as it stands, without saving it."""
        editor: SafeString = super().render(name, value, attrs, renderer)
        if not self.try_url:
            return editor
        button = (
            '{}<p class="desk-try"><button type="submit" class="desk-button" formaction="{}" formtarget="_blank" '
            'formnovalidate>{}</button> <span class="desk-quiet">{}</span></p>'
        )
        explained = _("Opens the simulator with this prompt, in a new tab. Nothing is saved, and nobody else gets it.")
        return format_html(button, editor, self.try_url, _("Try this prompt"), explained)


class BotForm(forms.ModelForm):  # type: ignore[type-arg]
    """A bot's settings, with one write-only field for each secret of its channel."""

    daily_budget_micros = DollarField(
        label=_("Daily budget in dollars"),
        required=False,
        help_text=_("What the bot may cost in a day. Empty: no limit."),
    )
    user_daily_budget_micros = DollarField(
        label=_("Daily budget of each person in dollars"),
        required=False,
        help_text=_("Of those who have none of their own. Empty: USER_DAILY_BUDGET_USD."),
    )

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
            "reasoning_effort",
            "allowed_models",
            "burst_wait_seconds",
            "tells_strangers",
            "contact",
            "daily_budget_micros",
            "user_daily_budget_micros",
            "rate_limit_per_minute",
        )
        widgets = {
            "system_prompt": PromptWidget,
            "allowed_models": UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A new bot's channel was chosen before: it says which fields there are.
        asked = self.instance.channel or self.data.get("channel") or self.initial.get("channel") or ""
        self.channel: Channel | None = CHANNELS.get(asked)
        for credential in self._credentials():
            self.fields[SECRET_PREFIX + credential.name] = self._secret_field(credential)
        if "channel" in self.fields:  # (not for who only looks)
            self._settle_channel(self.fields["channel"])
        self._explain_account()
        if self.instance.pk and "system_prompt" in self.fields:
            self.fields["system_prompt"].widget.try_url = reverse("admin:bot_bot_try", args=(self.instance.pk,))

    def clean_contact(self) -> str:
        """Return the contact as its channel stores it."""
        contact: str = self.cleaned_data["contact"]
        try:
            return self.channel.read_contact(contact) if self.channel else contact
        except ValueError as error:
            raise ValidationError(str(error), code="invalid") from None

    def clean(self) -> dict[str, Any]:
        """Refuse secrets that something else was pasted along with."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for credential in self._credentials():
            name = SECRET_PREFIX + credential.name
            if mistake_in_secret(cleaned.get(name, "").strip()):
                self.add_error(name, ValidationError(NOT_ALONE, code="invalid"))
        return cleaned

    def save(self, commit: bool = True) -> Bot:
        """Save the bot; a secret that was left empty stays as it is."""
        entered = self.entered_secrets()
        if entered:
            self.instance.credentials = {**self.instance.credentials, **entered}
        if self.instance.was_refused and (entered or "account_id" in self.changed_data):
            # A bot pauses when its token is refused: with another one it may try again. Not where staff have paused it.
            self.instance.paused_at, self.instance.pause_reason = None, ""
        bot: Bot = super().save(commit)
        return bot

    def entered_secrets(self) -> dict[str, str]:
        """Return the secrets that were entered into a form without errors."""
        given = {one.name: self.cleaned_data.get(SECRET_PREFIX + one.name, "").strip() for one in self._credentials()}
        return {name: secret for name, secret in given.items() if secret}

    def made_up_secrets(self) -> list[tuple[Credential, str]]:
        """Return those that were entered and that the provider has to be told."""
        entered = self.entered_secrets()
        return [(one, entered[one.name]) for one in self._credentials() if one.made_up and one.name in entered]

    def ask_again(self) -> None:
        """Say of the secrets in a form with errors that they were not kept: no page ever shows one."""
        for name, field in self.fields.items():
            if name.startswith(SECRET_PREFIX) and self.data.get(name) and not isinstance(field, _MadeUp):
                field.widget.attrs["placeholder"] = ENTER_AGAIN

    def _credentials(self) -> tuple[Credential, ...]:
        return self.channel.credentials if self.channel else ()

    def _keeps_unknown_channel(self) -> bool:
        return bool(self.instance.pk) and self.channel is None

    def _get_validation_exclusions(self) -> set[str]:
        """Leave out a channel that the running code does not know: the row has it already."""
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return {*excluded, "channel"} if self._keeps_unknown_channel() else excluded

    def _settle_channel(self, field: forms.Field) -> None:
        if self._keeps_unknown_channel() and isinstance(field, forms.ChoiceField):
            # Another one may be chosen; what the row says stays until then, also where the bot is only switched off.
            unknown = _("%(channel)s (not known here)") % {"channel": self.instance.channel}
            field.choices = [(self.instance.channel, unknown), *choices()]
        elif self.instance.pk:
            field.disabled = True
        elif self.channel and isinstance(field, forms.ChoiceField):
            field.choices = [(self.channel.slug, self.channel.label)]

    def _explain_account(self) -> None:
        if not self.channel:
            return
        for name, words in (("account_id", self.channel.account_help), ("contact", self.channel.contact_help)):
            if words and name in self.fields:
                self.fields[name].help_text = str(words)
        if "account_id" in self.fields:
            self.fields["account_id"].label = str(self.channel.account_label)

    def _secret_field(self, credential: Credential) -> forms.CharField:
        if credential.made_up and not self.instance.pk:
            return _MadeUp(credential)
        placeholder = _("stored – leave empty to keep it") if self.instance.credentials.get(credential.name) else ""
        if isinstance(self.instance.credentials, Unreadable):
            placeholder = _("encrypted with another SECRET_KEY – add that to SECRET_KEY_FALLBACKS, or enter it again")
        attrs = {"autocomplete": "new-password", "placeholder": placeholder}
        return forms.CharField(
            label=str(credential.label),
            required=False,
            widget=UnfoldAdminPasswordWidget(render_value=False, attrs=attrs),
            help_text=str(credential.help),
        )


class _MadeUp(forms.CharField):
    """A secret of our own for a new bot: suggested at random, and legible, because it has to be told the provider."""

    def __init__(self, credential: Credential) -> None:
        super().__init__(
            label=str(credential.label),
            required=False,
            initial=lambda: token_urlsafe(18),
            widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
            help_text=_("%(help)s This one is random. It is shown once more when the bot is saved, and never again.")
            % {"help": credential.help},
        )


def secret_fields(channel: str) -> list[str]:
    """Return the names of the form's secret fields, for a channel; none without."""
    found = CHANNELS.get(channel)
    return [SECRET_PREFIX + credential.name for credential in found.credentials] if found else []
