"""Spend, and read a person's page."""

from django.test import Client
from django.urls import reverse

from users.models import User


def page(client: Client, person: User) -> str:
    return client.get(reverse("admin:users_user_change", args=(person.pk,))).content.decode()
