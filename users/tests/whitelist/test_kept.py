"""What is kept of a preview until it is confirmed: for an hour, for one web session."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from users.models import User
from users.tests.factories import alice
from users.tests.whitelist.uploading import confirm, texts, upload
from users.whitelist import kept

pytestmark = [pytest.mark.database, pytest.mark.django_db]

GERMAN = "+491711234567"
LIST = reverse("admin:users_user_changelist")


@pytest.fixture
def as_alice(client):
    client.force_login(alice())
    return client


def test_a_preview_is_of_the_web_session_that_made_it_and_of_the_last_hour(as_alice):
    owner = User.objects.get()
    preview = upload(as_alice, f"{GERMAN},Dana\n")
    others = alice(phone_number="+15551234567"), owner
    for person in others:
        other = Client()
        other.force_login(person)
        assert "not yours" in texts(confirm(other, preview))[0]
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        assert "over an hour old" in texts(confirm(as_alice, preview))[0]
    assert not User.objects.filter(phone_number=GERMAN).exists()


def test_what_is_kept_of_a_preview_expires_goes_with_who_made_it_and_signs_nobody_in(as_alice):
    own = as_alice.session.session_key
    upload(as_alice, f"{GERMAN},Dana\n")
    assert set(as_alice.session.keys()) == {"_auth_user_id", "_auth_user_backend", "_auth_user_hash", kept.KEPT}
    (row,) = Session.objects.exclude(pk=own)
    assert row.expire_date <= timezone.now() + timedelta(hours=1)
    assert GERMAN not in row.session_data
    assert row.get_decoded()[SESSION_KEY] == str(User.objects.get().pk)  # by which erasing finds it
    thief = Client()
    thief.cookies["sessionid"] = row.pk
    assert thief.get(LIST).headers["Location"].startswith(reverse("admin:login"))


def test_nothing_of_a_preview_is_kept_once_it_is_applied_or_another_is_made(as_alice):
    upload(as_alice, f"{GERMAN},Dana\n")
    confirm(as_alice, upload(as_alice, "+15551234567,Eve\n"))
    assert Session.objects.get().pk == as_alice.session.session_key
    assert kept.KEPT not in as_alice.session
    upload(as_alice, "12\n")
    assert Session.objects.count() == 1
