"""Faults that are known and not mended yet: each is shown here, and the test that shows it tells when it is mended.

Take the mark away from a test that begins to pass.
"""

from collections.abc import Callable
from typing import Any

from django.contrib.admin.models import LogEntry
from django.core.checks import run_checks
from django.test import Client
from django.urls import reverse
from django.utils.encoding import force_str

from bot.tests.pipeline.commands.test_forget import channel, code_in
from bot.tests.support.factories import WhatsAppBotFactory
from config.tests.known_faults import given, known, promised
from users.models import User
from users.roles import Role
from users.tests.factories import UserFactory

__all__ = ["channel"]  # (people read that of these tests on their phones)


@known("Who is staff and erases themselves takes along what they did in the admin: it is in no history any more.")
def test_what_staff_did_stays_in_the_history_when_they_erase_themselves(
    ask: Callable[..., str], client: Client
) -> None:
    admin = User.objects.create_user("+441632960201", name="Adam", role=Role.ADMIN, is_whitelisted=True)
    eve = UserFactory.create(name="Eve")
    client.force_login(admin)
    page = reverse("admin:users_user_change", args=(eve.pk,))
    form = client.get(page).context["adminform"].form
    sets = [one.formset for one in client.get(page).context["inline_admin_formsets"]]
    fields = {name: force_str(form[name].value() or "") for name in form.fields if form[name].value() is not False}
    for formset in sets:
        fields |= {f"{formset.prefix}-{key}": "0" for key in ("TOTAL_FORMS", "INITIAL_FORMS")}
    answered = client.post(page, {**fields, "name": "Mallory"})
    theirs = LogEntry.objects.filter(object_id=str(eve.pk))
    given(answered.status_code == 302 and theirs.filter(user=admin).exists(), "the change is in the history")

    ask(f"/forget {code_in(ask('/forget', sender='+441632960201'))}", sender="+441632960201")
    given(not User.objects.filter(pk=admin.pk).exists(), "they are erased")
    promised(theirs.exists())


@known("No check names the credentials that only a former secret key reads: nobody knows when that can be removed.")
def test_credentials_that_only_a_former_key_reads_are_told(db: None, settings: Any) -> None:
    bot = WhatsAppBotFactory.create(slug="encrypted-long-ago")
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another key of this test"
    bot.refresh_from_db()
    given(bool(bot.credentials), "the former key reads them")
    messages = run_checks(include_deployment_checks=True, databases=["default"])
    promised(any("SECRET_KEY" in f"{message.msg} {message.hint}" and bot.slug in message.msg for message in messages))
