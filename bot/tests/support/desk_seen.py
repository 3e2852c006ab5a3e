"""Sign in by role, and see what a page shows."""

from django.test import Client

from users.models import User
from users.roles import Role
from users.tests.factories import alice, bob


def sign_in(who: str) -> tuple[Client, User | None]:
    """Return a browser in which somebody is signed in, and who that is."""
    client, person = Client(), None
    if who != "nobody":
        person = {"owner": alice, "whitelisted": bob}.get(who, lambda: bob(role=Role.ADMIN))()
        client.force_login(person)
    if who == "was admin" and person:
        User.objects.update_role(person, Role.USER)
    return client, person
