"""The cast: people as the tests need them."""

from typing import Any

from factory.declarations import LazyAttribute, Sequence, SubFactory
from factory.django import DjangoModelFactory, Password
from factory.faker import Faker

from users.models import Identity, User
from users.roles import Role, role_flags


class UserFactory(DjangoModelFactory[User]):
    """Somebody who may chat, with a number of their own."""

    class Meta:
        model = User

    phone_number = Sequence(lambda n: f"+4917100{n:05}")
    name = Faker("first_name")
    is_whitelisted = True
    password = Password(None)
    is_staff = LazyAttribute(lambda person: role_flags(person.role).is_staff)
    is_superuser = LazyAttribute(lambda person: role_flags(person.role).is_superuser)
    role = Role.USER


class IdentityFactory(DjangoModelFactory[Identity]):
    """A Telegram chat of somebody."""

    class Meta:
        model = Identity

    user = SubFactory(UserFactory)
    channel = "telegram"
    address = Sequence(lambda n: str(700_000 + n))


def alice(**fields: Any) -> User:
    """The owner."""
    return UserFactory.create(**{"name": "Alice", "role": Role.OWNER, "password": "correct horse", **fields})


def bob(**fields: Any) -> User:
    """A colleague who may chat."""
    return UserFactory.create(**{"name": "Bob", **fields})


def charlie(**fields: Any) -> User:
    """An outsider: known, not whitelisted."""
    return UserFactory.create(**{"name": "Charlie", "is_whitelisted": False, **fields})
