from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from bot.history.waiting import Waiting, waiting_for
from bot.models import Lease
from bot.tests.support.factories import InboundFactory

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@time_machine.travel("2026-03-11T15:40:00Z", tick=False)
def test_the_first_that_keeps_a_message_is_told_and_the_later_of_two_times():
    message = InboundFactory.create()
    assert waiting_for(message) == Waiting()
    message.available_at = until = timezone.now() + MINUTE
    assert waiting_for(message) == Waiting(until=until)
    lease = Lease.objects.create(bot=message.bot, address=message.address, expires_at=until + MINUTE)
    assert waiting_for(message) == Waiting(until=until + MINUTE)
    Lease.objects.filter(pk=lease.pk).update(worker="w1")
    assert waiting_for(message) == Waiting(worker="w1")
    message.bot.paused_at = timezone.now()
    assert waiting_for(message) == Waiting(paused=True)


@time_machine.travel("2026-03-11T15:40:00Z", tick=False)
def test_a_lease_that_has_ended_keeps_nothing():
    message = InboundFactory.create()
    Lease.objects.create(bot=message.bot, address=message.address, worker="w1", expires_at=timezone.now() - MINUTE)
    assert waiting_for(message) == Waiting()
