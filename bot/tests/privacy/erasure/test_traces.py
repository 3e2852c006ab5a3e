"""What is about a person where no column says so goes as well."""

from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session

from bot.tests.privacy.erasure.erasing import forget
from bot.tests.support.factories import ALICE, BOB, whitelisted
from users.models import User

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

ID = "DE.13491208655302741918"


@pytest.fixture
def bob(transactional_db: None) -> User:
    return whitelisted(BOB, name="Bob")


def test_admin_history_about_them_and_by_them_goes(alice: User, bob: User) -> None:
    identity = User.objects.link_identity(alice, "console", ID)

    def log(who: User, of: Any, repr: str, change: str = "") -> LogEntry:
        kind = ContentType.objects.get_for_model(of)
        return LogEntry.objects.create(
            user=who, content_type=kind, object_id=of.pk, object_repr=repr, action_flag=CHANGE, change_message=change
        )

    kept = log(bob, bob, "Bob")
    log(bob, alice, "an older name of theirs")
    log(bob, identity, "console identity")
    log(alice, bob, "Bob")
    of_bob = log(bob, bob, "Bob", f"Deleted {ALICE}")
    forget(alice)
    assert list(LogEntry.objects.order_by("pk")) == [kept, of_bob]


def test_they_are_signed_out_of_the_admin(alice: User, bob: User) -> None:
    for person in (alice, bob):
        store = SessionStore()
        store[SESSION_KEY] = str(person.pk)
        store.create()
    forget(alice)
    assert [row.get_decoded()[SESSION_KEY] for row in Session.objects.all()] == [str(bob.pk)]
