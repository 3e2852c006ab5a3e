"""Create people, and look at whom a number names."""

from users.models import User


def create(number):
    return User.objects.create_user(number)
