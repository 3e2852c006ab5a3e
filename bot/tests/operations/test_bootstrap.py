"""A fresh installation can be used after `manage.py bootstrap`, and a used one is left alone by it."""

import re

import pytest
from django_q.models import Schedule

from bot.models import Bot
from bot.operations.bootstrap import DEMO_OWNER_NUMBER, DEMO_PERSON_NUMBER, OwnerResult
from bot.tests.operations.bootstrapping import bootstrap
from users.models import Role, User

pytestmark = [pytest.mark.database, pytest.mark.django_db]

NUMBER = "+12025550142"


def printed_password(output: str) -> str:
    (password,) = re.findall(r"password (\S+) \(shown only now\)", output)
    return password


@pytest.fixture(autouse=True)
def development(settings):
    settings.ENVIRONMENT = "development"


def test_a_fresh_development_installation_has_all_that_is_needed_to_talk_to_it():
    Schedule.objects.all().delete()
    password = printed_password(bootstrap())
    owner = User.objects.get(phone_number=DEMO_OWNER_NUMBER)
    assert owner.check_password(password)
    assert (owner.role, owner.is_staff, owner.is_superuser, owner.is_whitelisted) == (Role.OWNER, True, True, True)
    person = User.objects.get(phone_number=DEMO_PERSON_NUMBER)
    assert (person.is_whitelisted, person.is_staff, person.has_usable_password()) == (True, False, False)
    bot = Bot.objects.get()
    assert (bot.slug, bot.channel, bot.is_active) == ("demo", "console", True)
    assert Schedule.objects.exists()


def test_production_creates_nobody_unasked(settings):
    settings.ENVIRONMENT = "production"
    output = bootstrap()
    assert "bootstrap --owner" in output
    assert not User.objects.exists()
    assert not Bot.objects.exists()


def test_production_creates_the_owner_it_is_told(settings):
    settings.ENVIRONMENT = "production"
    password = printed_password(bootstrap("--owner", "+1 202-555-0142"))
    owner = User.objects.get()
    assert (owner.phone_number, owner.role, owner.check_password(password)) == (NUMBER, Role.OWNER, True)
    assert not Bot.objects.exists()


def test_demo_data_can_be_asked_for_in_production(settings):
    settings.ENVIRONMENT = "production"
    bootstrap("--demo")
    assert Bot.objects.get().slug == "demo"


def test_somebody_who_only_chatted_becomes_the_owner_and_gets_a_password():
    person = User.objects.create_user(NUMBER, name="Alice")
    password = printed_password(bootstrap("--owner", NUMBER))
    person.refresh_from_db()
    assert (person.role, person.is_superuser, person.name) == (Role.OWNER, True, "Alice")
    assert person.check_password(password)


def test_a_password_that_somebody_planted_before_is_not_the_new_owners():
    person = User.objects.create_user(NUMBER, "a planted password")
    password = printed_password(bootstrap("--owner", NUMBER))
    person.refresh_from_db()
    assert not person.check_password("a planted password") and person.check_password(password)


def test_an_owner_named_again_keeps_the_password():
    User.objects.create_superuser(NUMBER, "a password of their own")
    output = bootstrap("--owner", NUMBER)
    assert "shown only now" not in output
    assert User.objects.get(phone_number=NUMBER).check_password("a password of their own")


def test_the_password_is_not_in_the_result_that_could_be_logged():
    assert "canary" not in repr(OwnerResult(NUMBER, "canary"))
