"""The database holds each number once, in one spelling."""

import pytest
from django.db import IntegrityError, transaction

from users.tests.factories import UserFactory

pytestmark = [pytest.mark.database, pytest.mark.django_db]

EQUIVALENT = [
    ("+5531987654321", "+553187654321"),
    ("+5215512345678", "+525512345678"),
    ("+5491123456789", "+541123456789"),
]


@pytest.mark.parametrize(("first", "second"), EQUIVALENT)
def test_the_database_refuses_an_equivalent_number_too(first, second):
    UserFactory.create(phone_number=first)
    with pytest.raises(IntegrityError), transaction.atomic():
        UserFactory.create(phone_number=second)


@pytest.mark.parametrize("stored", ["", "491711234567", "+123"])
def test_the_database_holds_normalised_numbers_only(stored):
    with pytest.raises(IntegrityError), transaction.atomic():
        UserFactory.create(phone_number=stored)
