"""Rules of the system checks: ids, messages and hints. Ids are never reused."""

from dataclasses import dataclass
from typing import Any

from django.core.checks import CheckMessage, Error, Info, Warning


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. says: a %-template of facts. hint: what to do."""

    id: str
    says: str
    hint: str
    documented: str
    needs_database: bool = True

    def broken(self, **facts: Any) -> CheckMessage:
        """Return the check message of a violation."""
        kind = {"E": Error, "W": Warning, "I": Info}[self.id.removeprefix("parley.")[0]]
        return kind(self.says % facts, hint=self.hint, id=self.id)


DATABASE_SILENT = Rule(
    "parley.E001",
    "The database does not answer (%(error)s): nothing in it was checked.",
    "Start it, or correct DATABASE_URL.",
    "The database does not answer",
)
NOT_MIGRATED = Rule(
    "parley.E002",
    "Migrations are not applied (%(apps)s): nothing in the database was checked.",
    "`manage.py bootstrap` applies them.",
    "Migrations are not applied",
)
CREDENTIALS_UNREADABLE = Rule(
    "parley.E003",
    "The credentials of bot '%(bot)s' were encrypted with another SECRET_KEY: all its webhooks are refused.",
    "Add the former key to SECRET_KEY_FALLBACKS, or enter the credentials again in the admin.",
    "An active bot's credentials were encrypted with another `SECRET_KEY`",
)
CREDENTIALS_MISSING = Rule(
    "parley.E004",
    "Bot '%(bot)s' is active without what %(channel)s needs: %(missing)s.",
    "Enter it under Bots in the admin, or switch the bot off.",
    "An active bot has not all the credentials, or no account id, that its channel needs",
)
CHANNEL_UNKNOWN = Rule(
    "parley.E005",
    "Bot '%(bot)s' is active on a channel that does not exist: '%(channel)s'.",
    "Choose another channel under Bots in the admin, or switch the bot off.",
    "An active bot's channel does not exist",
)
NOT_REACHABLE = Rule(
    "parley.W001",
    "PUBLIC_URL is %(url)s, where no provider can deliver webhooks to %(bots)s.",
    "Set PUBLIC_URL to the https:// address that providers reach (a tunnel's, in development).",
    "An active bot takes webhooks, and `PUBLIC_URL` is not https or names this machine",
)
PRICE_UNKNOWN = Rule(
    "parley.W002",
    "No price is known for %(models)s: what answers cost is unknown, and budgets only estimate it.",
    "Add the price under Model prices in the admin; for a model that runs at home: UNPRICED_COST_USD_PER_MILLION=0.",
    "A model in use (of a bot, to choose from, or `OPENAI_GPT_MODEL`) has no known price, "
    "and `UNPRICED_COST_USD_PER_MILLION` is not 0",
)
NO_OWNER = Rule(
    "parley.W003",
    "There is no owner who can sign in.",
    "`manage.py bootstrap --owner +<country code><number>`",
    "No owner can sign in",
)
SCHEDULES_MISSING = Rule(
    "parley.W004",
    "Scheduled tasks are missing: %(names)s.",
    "`manage.py bootstrap` creates them.",
    "A scheduled task was deleted",
)
SCHEDULER_SILENT = Rule(
    "parley.W005",
    "No scheduler was seen for a day: nothing is deleted when its time is over, and no budget alert is raised.",
    "Run `manage.py qcluster`.",
    "No scheduler was seen for a day, or its tasks are a day late",
)
SQLITE_SHARED = Rule(
    "parley.W006",
    "Processes on several hosts use SQLite: %(hosts)s.",
    "Over a network file system SQLite loses data: use PostgreSQL. Containers on one machine may share a local file.",
    "Processes of several host names were seen within ten minutes, and the database is SQLite",
)
PLAIN_HTTP = Rule(
    "parley.W007",
    "%(name)s is plain http to another machine: keys and messages can be read on the way.",
    "Use https.",
    "`OPENAI_BASE_URL` (with a key) or `WHATSAPP_API_URL` is plain http to a public host",
    needs_database=False,
)
METRICS_TOKEN_SHORT = Rule(
    "parley.W008",
    "METRICS_TOKEN has fewer than 20 characters: it can be guessed.",
    "`python -c 'import secrets; print(secrets.token_urlsafe(24))'`",
    "`METRICS_TOKEN` can be guessed",
    needs_database=False,
)
FILES_OPEN = Rule(
    "parley.W012",
    "Other users of this machine can read data or secrets. Mend it with: chmod 600 %(files)s",
    "Run it as the files' owner. What Parley creates is its user's alone, and `make run` mends what was there before.",
    "A SQLite database, what SQLite keeps beside it, or `.env` can be read by other users (`chmod 600`)",
    needs_database=False,
)
NO_BUDGET = Rule(
    "parley.W014",
    "No daily budget is set: nothing bounds what the model's answers cost.",
    "Set DAILY_BUDGET_USD to the most dollars of a day, or USER_DAILY_BUDGET_USD to the most of each person.",
    "In production a model on a public host is asked without `DAILY_BUDGET_USD` or `USER_DAILY_BUDGET_USD`",
    needs_database=False,
)
DEVELOPMENT_IN_PUBLIC = Rule(
    "parley.W013",
    "PUBLIC_URL is %(url)s, which is not this machine, and ENVIRONMENT is development.",
    "Set ENVIRONMENT=production: in development errors show settings and code, and cookies go over plain http.",
    "`PUBLIC_URL` names another machine than this one, and `ENVIRONMENT` is development",
    needs_database=False,
)
TIMEOUTS_MISSING = Rule(
    "parley.W018",
    "A connection pooler stands before the database, and nothing ends a statement that hangs.",
    "Give the role the limits that a pooler does not pass on: ALTER ROLE parley SET statement_timeout = '15s'; "
    "ALTER ROLE parley SET idle_in_transaction_session_timeout = '30s'.",
    "The database is reached through a pooler (PgBouncer), and its role has no `statement_timeout`",
)

MODEL_REFUSES = Rule(
    "parley.E006",
    "The model's server refuses calls. %(reason)s",
    "Correct what it names and restart; `manage.py test_bot SLUG` shows whether the bot's model answers then.",
    "The model's server refuses the key, the model, the address or for lack of credit: now, or in the last call",
)
MODEL_SILENT = Rule(
    "parley.W015",
    "The model's server does not answer: people are told to try again.",
    "Start it, or correct OPENAI_BASE_URL.",
    "The model's server does not answer when it is asked for its models",
)
MODEL_ENDS = Rule(
    "parley.W016",
    "The model '%(model)s' is switched off on %(day)s.",
    "Choose another one before that: at the bot, or as OPENAI_GPT_MODEL.",
    "A model in use has a `shutdown_date` within 60 days, as its server lists it",
)
MODEL_UNLISTED = Rule(
    "parley.W017",
    "The model's server does not list the model '%(model)s'.",
    "Is the name right? `manage.py test_bot SLUG` asks it. An alias may work without being listed.",
    "A model in use is not among those that its server lists",
)
READINESS_OF_MODEL = Rule(
    "parley.I001",
    "/readyz answers 503 while the model's server does not answer or refuses the key.",
    "Where a load balancer asks it, leave openai out, so that webhooks are still taken in: READINESS_CHECKS=db,redis",
    "`READINESS_CHECKS` names `openai`, and an active bot takes webhooks",
)

RULES = (
    DATABASE_SILENT,
    NOT_MIGRATED,
    CREDENTIALS_UNREADABLE,
    CREDENTIALS_MISSING,
    CHANNEL_UNKNOWN,
    NOT_REACHABLE,
    PRICE_UNKNOWN,
    NO_OWNER,
    SCHEDULES_MISSING,
    SCHEDULER_SILENT,
    SQLITE_SHARED,
    PLAIN_HTTP,
    METRICS_TOKEN_SHORT,
    FILES_OPEN,
    NO_BUDGET,
    DEVELOPMENT_IN_PUBLIC,
    MODEL_REFUSES,
    MODEL_SILENT,
    MODEL_ENDS,
    MODEL_UNLISTED,
    READINESS_OF_MODEL,
    TIMEOUTS_MISSING,
)
