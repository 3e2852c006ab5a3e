"""Try a prompt that is not saved, in the simulator; and give it to people if it is good."""

from copy import copy
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import override as translation_override

from bot.models import Bot
from bot.simulator.previews import TRIED, make_preview, use_preview
from config.desk.lists import DeskAdmin


class TriedForm(forms.ModelForm):  # type: ignore[type-arg]
    """What a preview takes from a bot's form that is not saved."""

    class Meta:
        model = Bot
        fields = TRIED


def try_prompt(page: DeskAdmin, request: HttpRequest, bot: Bot) -> HttpResponse:
    """Put what stands in a bot's form into its preview, and open the simulator. The bot stays as it is."""
    form = TriedForm(request.POST, instance=copy(bot))
    if not form.is_valid():
        for problem in (error for errors in form.errors.values() for error in errors):
            page.message_user(request, problem, messages.ERROR)
        return redirect("admin:bot_bot_change", bot.pk)
    preview = make_preview(bot, form.cleaned_data)
    return redirect(f"{reverse('simulator:chat')}?{urlencode({'bot': preview.slug})}")


def use_prompt(page: DeskAdmin, request: HttpRequest, bot: Bot) -> HttpResponse:
    """Give people what the preview tries."""
    if not Bot.objects.filter(preview_of=bot).exists():
        gone = _("This preview is gone: a preview is kept for a day. Nothing was changed.")
        page.message_user(request, gone, messages.WARNING)
    elif changed := use_preview(bot):
        with translation_override(None):  # as Django does: history is put into the language of who reads it
            labels = [str(TriedForm.base_fields[name].label) for name in changed]
        page.log_change(request, bot, [{"changed": {"fields": labels}}])
        page.message_user(request, _("Saved: people are answered with this prompt from now on."), messages.SUCCESS)
    else:
        page.message_user(request, _("This is what people are answered with already."))
    return redirect("admin:bot_bot_change", bot.pk)


def fill_in(form: Any, bot: Bot) -> bool:
    """Put what was tried into the form of a bot's page; return whether there is a preview. Nothing of it is saved."""
    preview = Bot.objects.filter(preview_of=bot).first()
    if preview:
        form.initial.update({name: getattr(preview, name) for name in TRIED})
    return preview is not None
