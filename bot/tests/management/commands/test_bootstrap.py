"""manage.py bootstrap may run at every start, and says what is wrong."""

import pytest
from django.core.management import CommandError
from django_q.models import Schedule

from bot.models import Bot
from bot.operations.bootstrap import DEMO_PERSON_NUMBER
from bot.tests.operations.bootstrapping import bootstrap
from users.models import User

pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def development(settings):
    settings.ENVIRONMENT = "development"


def test_running_it_again_changes_nothing_and_shows_no_password():
    bootstrap()
    Bot.objects.update(name="Renamed", is_active=False)
    User.objects.filter(phone_number=DEMO_PERSON_NUMBER).update(is_whitelisted=False)
    before = sorted(User.objects.values_list("phone_number", "password", "role", "is_whitelisted"))
    schedules = Schedule.objects.count()
    output = bootstrap()
    assert "changepassword" in output
    assert "shown only now" not in output
    assert sorted(User.objects.values_list("phone_number", "password", "role", "is_whitelisted")) == before
    assert list(Bot.objects.values_list("name", "is_active")) == [("Renamed", False)]
    assert Schedule.objects.count() == schedules


def test_a_number_that_cannot_be_read_is_said():
    with pytest.raises(CommandError, match="number"):
        bootstrap("--owner", "nobody")
