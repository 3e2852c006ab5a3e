"""What tells seeded rows from others, so that exactly they can be taken away again. No column is spent on it."""

from django.db.models import QuerySet

from bot.dev.demo.numbers import is_fictional
from bot.models import Bot
from bot.operations.bootstrap import DEMO_OWNER_NUMBER, DEMO_PERSON_NUMBER
from usage.models import UsageRecord
from users.models import Invite, User

# Bots are named here in full; nobody calls one so by chance.
SLUG_PREFIX = "seed-demo-"
# A password that begins with "!" is none. Who is given one by staff is somebody's from then on, and stays.
PASSWORD = "!seed-demo"  # noqa: S105 (it opens nothing)
# The ids of real calls are hexadecimal. Of a made-up invite this stands in place of a hash: no code opens it, until
# staff make one, with which it is theirs and stays.
CALL_PREFIX = "demo-"
INVITE_PREFIX = "demo-invite-"


def seeded_bots() -> "QuerySet[Bot]":
    """Return the bots that were seeded."""
    return Bot.objects.filter(slug__startswith=SLUG_PREFIX)


def seeded_people() -> dict[int, str]:
    """Return (id → number) of the seeded people: with the mark, and still with a number of fiction."""
    marked = User.objects.filter(password=PASSWORD).exclude(phone_number=None)
    numbers = marked.order_by("pk").values_list("pk", "phone_number")
    return {pk: number for pk, number in numbers if number and is_fictional(number)}


def seeded_calls() -> "QuerySet[UsageRecord]":
    """Return the usage records that were seeded, whosever they are by now."""
    return UsageRecord.objects.filter(call_id__startswith=CALL_PREFIX)


def seeded_invites() -> "QuerySet[Invite]":
    """Return the invites that were seeded."""
    return Invite.objects.filter(digest__startswith=INVITE_PREFIX)


def already_there() -> dict[str, int]:
    """Return how many seeded rows there are, by kind; nothing where there are none."""
    counts = {
        "people": len(seeded_people()),
        "bots": seeded_bots().count(),
        "invites": seeded_invites().count(),
        "usage records": seeded_calls().count(),
    }
    return {kind: count for kind, count in counts.items() if count}


def other_people() -> int:
    """Return how many people there are besides the seeded ones and those that `bootstrap` makes by itself."""
    known = User.objects.filter(phone_number__in=(DEMO_OWNER_NUMBER, DEMO_PERSON_NUMBER))
    return User.objects.exclude(pk__in=[*seeded_people(), *known.values_list("pk", flat=True)]).count()
