"""Usage as the tests need it."""

from datetime import date

from factory.declarations import SubFactory
from factory.django import DjangoModelFactory

from usage.models import ModelPrice, UsageRecord
from users.tests.factories import UserFactory


class UsageRecordFactory(DjangoModelFactory[UsageRecord]):
    """A completion of 100 tokens in and 10 out for a tenth of a cent."""

    class Meta:
        model = UsageRecord

    user = SubFactory(UserFactory)
    model = "gpt-6-luna"
    input_tokens = 100
    output_tokens = 10
    cost_micros = 1_000


class ModelPriceFactory(DjangoModelFactory[ModelPrice]):
    """A model at $1 per million tokens in, $0.10 cached and $2 out."""

    class Meta:
        model = ModelPrice

    model = "house-model"
    valid_from = date(2026, 1, 1)
    input_micros_per_million = 1_000_000
    cached_input_micros_per_million = 100_000
    output_micros_per_million = 2_000_000
