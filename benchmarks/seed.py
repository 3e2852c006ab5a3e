"""Fill a run's database through Django: `python -m benchmarks.seed <first> <count> [--pending-in SECONDS]`.

Migrates, makes the bot, whitelists count people from the first, and with --pending-in gives each of them one pending
message that becomes available to the worker after that many seconds. Prints that moment (Unix time).
"""

import argparse
import sys
from datetime import timedelta
from typing import Any

import django

from benchmarks.payloads import APP_SECRET, BOT_SLUG, PHONE_NUMBER_ID, TEXT, address

BATCH = 1_000


def main() -> None:
    """Read the command line and fill the database that DATABASE_URL names."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.seed", description=__doc__)
    parser.add_argument("first", type=int)
    parser.add_argument("count", type=int)
    parser.add_argument("--pending-in", type=float)
    options = parser.parse_args()
    django.setup()
    prepare()
    people = range(options.first, options.first + options.count)
    whitelist(people)
    if options.pending_in is not None:
        sys.stdout.write(f"{pending(people, options.pending_in)}\n")


def prepare() -> None:
    """Bring the schema up to date and make the bot."""
    from django.core.management import call_command

    from bot.models import Bot

    call_command("migrate", interactive=False, verbosity=0)
    credentials: Any = {"app_secret": APP_SECRET, "access_token": "EAAbench", "verify_token": "bench"}
    Bot.objects.get_or_create(
        slug=BOT_SLUG,
        defaults={
            "name": "Bench",
            "channel": "whatsapp",
            "account_id": PHONE_NUMBER_ID,
            "credentials": credentials,
        },
    )


def whitelist(people: range) -> None:
    """Create the people."""
    from django.contrib.auth.hashers import make_password

    from users.models import User

    unusable = make_password(None)
    rows = [User(phone_number=address(person), is_whitelisted=True, password=unusable) for person in people]
    User.objects.bulk_create(rows, batch_size=BATCH)


def pending(people: range, seconds: float) -> float:
    """Give each person one pending message; return when the worker may take them."""
    from django.db import connection, transaction
    from django.utils import timezone

    from bot.models import Bot, InboundMessage

    bot = Bot.objects.get(slug=BOT_SLUG)
    now = timezone.now()
    begin = now + timedelta(seconds=seconds)
    rows = [
        InboundMessage(
            bot=bot,
            external_id=f"wamid.pending{person}",
            address=address(person),
            kind="text",
            payload={"text": f"{person}: {TEXT}"},
            sent_at=now,
            available_at=begin,
        )
        for person in people
    ]
    with transaction.atomic():
        InboundMessage.objects.bulk_create(rows, batch_size=BATCH)
    if connection.vendor == "postgresql":
        # What autovacuum would do within a minute; until then the planner guesses, and the figures with it.
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    return begin.timestamp()


if __name__ == "__main__":
    main()
