"""What an export tells, model by model, and which models hold nothing that is anybody's. A test goes through all."""

from bot.privacy.export.parts.chats import CHATS
from bot.privacy.export.parts.costs import COSTS
from bot.privacy.export.parts.people import PEOPLE
from bot.privacy.export.parts.staff import STAFF

# In the order in which people read them.
PARTS = (*PEOPLE, *CHATS, *COSTS, *STAFF)

# Model → why nobody is told of it.
NOT_EXPORTED = {
    "users.Tombstone": "a keyed hash of who was erased: nobody can tell whose it is",
    "usage.UsageDay": "sums of everybody's usage",
    "usage.ClosedDay": "the same, of days whose records are kept",
    "usage.SpendAlert": "what was said of everybody's budgets",
    "usage.ModelPrice": "the operator's prices",
    "bot.Bot": "the operator's bots",
    "bot.Heartbeat": "processes",
    "bot.Counter": "sums over everybody",
    "bot.DailyFigures": "sums over everybody",
    "auth.Group": "not used: rights follow from the role",
    "auth.Permission": "not used: rights follow from the role",
    "contenttypes.ContentType": "names of tables",
    "django_q.Task": "the scheduler's work, which names nobody",
    "django_q.Success": "the same",
    "django_q.Failure": "the same",
    "django_q.Schedule": "when the scheduler works",
    "django_q.OrmQ": "the scheduler's queue",
}

__all__ = ["NOT_EXPORTED", "PARTS"]
