"""Parts of an export, model by model, and the models without personal data. A test covers all models."""

from bot.privacy.export.parts.chats import CHATS
from bot.privacy.export.parts.costs import COSTS
from bot.privacy.export.parts.people import PEOPLE
from bot.privacy.export.parts.staff import STAFF

# In reading order.
PARTS = (*PEOPLE, *CHATS, *COSTS, *STAFF)

# {model: why it is not exported}.
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
