"""A number is one person's, whatever happens at the same moment."""

import pytest

from users.models import Identity, User
from users.tests.factories import charlie
from users.tests.naming import create
from users.tests.together import together

pytestmark = [pytest.mark.database, pytest.mark.django_db]

NUMBER, BRAZIL, SHORTER = "+491711234567", "+5531987654321", "+553187654321"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(5))
def test_under_a_race_a_number_is_one_persons(attempt):
    people = [charlie(phone_number=None) for _ in range(3)]
    links = [
        lambda person=person, address=address, channel=channel: User.objects.link_identity(person, channel, address)
        for person, address, channel in zip(
            people, (BRAZIL, SHORTER, BRAZIL), ("whatsapp", "whatsapp", "generic"), strict=True
        )
    ]
    results = together(*links, lambda: create(BRAZIL), lambda: create(SHORTER))
    assert sum(not isinstance(result, Exception) for result in results) == 1, results
    holders = {
        *Identity.objects.filter(address__in=(BRAZIL, SHORTER)).values_list("user", flat=True),
        *User.objects.filter(phone_number__in=(BRAZIL, SHORTER)).values_list("pk", flat=True),
    }
    assert len(holders) == 1
