"""Pages about what is held."""

from django.urls import reverse

from users.models import User


def page_of(person: User, name: str = "privacy") -> str:
    return reverse(f"admin:users_user_{name}", args=(person.pk,))
