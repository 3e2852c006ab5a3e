"""Fill in the pages of people."""

from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from users.models import User

NO_IDENTITIES = {"identities-TOTAL_FORMS": "0", "identities-INITIAL_FORMS": "0"}


def change(person):
    return reverse("admin:users_user_change", args=[person.pk])


def texts(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def person_form(person, **changes):
    data = {"phone_number": person.phone_number or "", "name": person.name, "role": person.role}
    return {**data, **NO_IDENTITIES, **changes}


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client
