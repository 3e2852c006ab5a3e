"""Try a prompt that is not saved, in the simulator; and give it to people if it is good."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import override as translation_override
from django.views.decorators.http import require_POST

from bot.admin.bots.connection import ConnectionAdmin
from bot.models import Bot
from bot.simulator.previews import TRIED, make_preview, use_preview


class TriedForm(forms.ModelForm):  # type: ignore[type-arg]
    """What a preview takes from a bot's form that is not saved."""

    class Meta:
        model = Bot
        fields = TRIED


class PreviewAdmin(ConnectionAdmin):
    """The part of the bots' admin that tries prompts."""

    def get_urls(self) -> list[URLPattern]:
        """Add the addresses that two buttons post to."""
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/try/", view(require_POST(self.try_view)), name="bot_bot_try"),
            path("<int:pk>/use/", view(require_POST(self.use_view)), name="bot_bot_use"),
            *super().get_urls(),
        ]

    def try_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Put what stands in a bot's form into its preview, and open the simulator. The bot stays as it is."""
        bot = self._for_change(request, pk)
        form = TriedForm(request.POST, instance=bot)
        if not form.is_valid():
            for problem in (error for errors in form.errors.values() for error in errors):
                self.message_user(request, problem, messages.ERROR)
            return redirect("admin:bot_bot_change", pk)
        preview = make_preview(get_object_or_404(Bot, pk=pk), form.cleaned_data)
        return redirect(f"{reverse('simulator:chat')}?{urlencode({'bot': preview.slug})}")

    def use_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Give people what the preview tries."""
        bot = self._for_change(request, pk)
        if not Bot.objects.filter(preview_of=bot).exists():
            gone = _("This preview is gone: a preview is kept for a day. Nothing was changed.")
            self.message_user(request, gone, messages.WARNING)
        elif changed := use_preview(bot):
            with translation_override(None):  # as Django does: history is put into the language of who reads it
                labels = [str(TriedForm.base_fields[name].label) for name in changed]
            self.log_change(request, bot, [{"changed": {"fields": labels}}])
            self.message_user(request, _("Saved: people are answered with this prompt from now on."), messages.SUCCESS)
        else:
            self.message_user(request, _("This is what people are answered with already."))
        return redirect("admin:bot_bot_change", pk)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Go on with what was tried, where the simulator leads back (?preview=1); nothing of it is saved yet."""
        bot, form = context.get("original"), context["adminform"].form
        if bot and "preview" in request.GET and not form.is_bound and self.has_change_permission(request, bot):
            preview = Bot.objects.filter(preview_of=bot).first()
            if preview:
                form.initial.update({name: getattr(preview, name) for name in TRIED})
                context["unsaved_preview"] = True
        return super().render_change_form(request, context, *args, **kwargs)

    def _for_change(self, request: HttpRequest, pk: int) -> Bot:
        bot = get_object_or_404(Bot, pk=pk, preview_of=None)
        if not self.has_change_permission(request, bot):
            raise PermissionDenied
        return bot
