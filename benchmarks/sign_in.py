"""Fill a database with made-up people and messages and sign in an owner: `python -m benchmarks.sign_in [--demo]`.

Prints a JSON object: the `cookie` of the owner's session, and the `pages` that a busy operator looks at.
"""

import argparse
import json
import sys

import django

OWNER = "+12025550100"
DAYS, PEOPLE = 30, 40


def main() -> None:
    """Sign in, and print what a client needs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sign_in", description=__doc__)
    parser.add_argument("--demo", action="store_true", help="write the demo's rows first")
    options = parser.parse_args()
    django.setup()
    from django.conf import settings
    from django.test import Client
    from django.urls import reverse

    from bot.dev.demo.seed import seed_demo
    from bot.models import InboundMessage
    from users.models import User

    if options.demo:
        seed_demo(days=DAYS, people=PEOPLE, seed=1)
    owner = User.objects.filter(phone_number=OWNER).first() or User.objects.create_superuser(OWNER)
    client = Client()
    client.force_login(owner)
    latest = InboundMessage.objects.order_by("-id").first()
    writer = User.objects.filter(phone_number=latest.address).first() if latest else None
    pages = [
        reverse("admin:index"),
        reverse("admin:bot_inboundmessage_changelist"),
        reverse("admin:users_user_change", args=[(writer or owner).pk]),
    ]
    name = settings.SESSION_COOKIE_NAME
    json.dump({"cookie": f"{name}={client.cookies[name].value}", "pages": pages}, sys.stdout)


if __name__ == "__main__":
    main()
