"""Parley's environment variables: the declaration, in the order in which .env.example explains them."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from config.environment.casts import (
    Cast,
    boolean,
    choice,
    choices,
    database_location,
    database_url,
    dollars,
    header,
    hosts,
    integer,
    model_url,
    origin,
    region,
    sentry_dsn,
    socket_path,
    text,
    time_zone,
    url,
    url_location,
    words,
)

OPENAI_API_URL = "https://api.openai.com/v1"
READINESS_CHECKS = ("db", "redis", "openai")


@dataclass(frozen=True)
class Variable:
    """One environment variable: how it is read, what it means and what holds when it is absent or empty.

    The value of a secret is never shown; `location` makes of a parsed one what may be. `implied` says what holds
    without it where that is no fixed default. Any variable may be given in a file that `<name>_FILE` names.
    `as_it_was` takes a value that would be refused as a mistake: a former version may have accepted it.
    """

    name: str
    parse: Cast
    help: str
    default: Any = None
    secret: bool = False
    location: Callable[[Any], str] | None = None
    implied: str = ""
    as_it_was: bool = False


SECTIONS: dict[str, tuple[Variable, ...]] = {
    "The server": (
        Variable(
            "ENVIRONMENT",
            choice("development", "production", "test"),
            "What this process is run for. A .env file is read in development only, and may change this.",
            "development",
        ),
        Variable(
            "SECRET_KEY",
            text,
            "Signs sessions and encrypts stored credentials: at least 50 random characters in production.",
            secret=True,
            implied="in development: new, and kept in `.env`",
        ),
        Variable(
            "SECRET_KEY_FALLBACKS",
            words,
            "Former secret keys, comma-separated, still accepted.",
            [],
            secret=True,
            as_it_was=True,
        ),
        Variable("ALLOWED_HOSTS", hosts, "Host names this server is reached by, comma-separated.", []),
        Variable(
            "PUBLIC_URL",
            origin("http", "https"),
            "Where providers and people reach this server, such as https://parley.example.org.",
            implied="`http://localhost:PORT` outside production",
        ),
        Variable(
            "TRUSTED_PROXIES",
            integer(1, 10),
            "Proxies of yours in front of production that each add an address to CLIENT_ADDRESS_HEADER.",
            1,
        ),
        Variable(
            "CLIENT_ADDRESS_HEADER",
            header,
            "Header in which the proxy says who asks. One without a hyphen cannot be imitated with an underscore.",
            "X-Forwarded-For",
        ),
        Variable(
            "HSTS_INCLUDE_SUBDOMAINS",
            boolean,
            "Tell browsers to reach the subdomains of this host by https only, too (production).",
            True,
        ),
        Variable(
            "HSTS_PRELOAD",
            boolean,
            "Let browsers' makers put this host on their lists of https only. Hard to take back.",
            False,
        ),
        Variable("PORT", integer(1, 65535), "Port of the web process.", 3000),
        Variable("WEB_THREADS", integer(2, 256), "Requests for pages that are answered at once.", 4),
        Variable(
            "PAGES_SOCKET",
            socket_path,
            "Unix socket on which the pages listen for the web process; a relative path begins at the project.",
            "pages.sock",
        ),
        Variable("TIME_ZONE", time_zone, "Time zone of days and schedules, such as Europe/Berlin.", "UTC"),
    ),
    "Data": (
        Variable(
            "DATABASE_URL",
            database_url,
            "postgres://user:password@host:5432/name, or sqlite:///file.sqlite3 (the default outside production).",
            secret=True,
            location=database_location,
            implied="`sqlite:///db.sqlite3` outside production",
        ),
        Variable("ALLOW_SQLITE", boolean, "Run production on SQLite (one machine only).", False),
        Variable(
            "REDIS_URL",
            url("redis", "rediss"),
            "Shared rate limits, cache and schedule queue: redis://host:6379/0.",
            secret=True,
            location=url_location,
        ),
        Variable(
            "CONVERSATION_TTL_DAYS", integer(1, 3_650), "Days of silence after which a conversation is deleted.", 7
        ),
        Variable("USAGE_RETENTION_DAYS", integer(1, 36_500), "Days a usage record is kept.", 365),
    ),
    "The model": (
        Variable(
            "LLM_PROVIDER",
            choice("openai", "demo"),
            "openai speaks to any compatible server; demo answers without a model (the default without a key).",
            implied="`openai` in production, or with a key or another server; else `demo`",
        ),
        Variable(
            "OPENAI_API_KEY",
            text,
            "Key of the OpenAI API. Other servers want one of their own, or none.",
            "",
            secret=True,
        ),
        Variable(
            "OPENAI_BASE_URL",
            model_url,
            "Another OpenAI-compatible server (Ollama, vLLM, llama.cpp).",
            OPENAI_API_URL,
        ),
        Variable("OPENAI_GPT_MODEL", text, "The model bots ask unless they name their own.", "gpt-6-luna"),
        Variable("MAX_MODEL_TOKENS", integer(256, 2_000_000), "Most tokens of conversation a model is shown.", 8_000),
        Variable("MAX_REPLY_TOKENS", integer(16, 200_000), "Most tokens of one answer.", 1_024),
        Variable(
            "OPENAI_MAX_TOKENS_PARAMETER",
            choice("auto", "max_completion_tokens", "max_tokens"),
            "How the server calls the answer's cap; auto: max_completion_tokens for OpenAI, max_tokens elsewhere.",
            "auto",
        ),
        Variable("MODEL_DEADLINE_SECONDS", integer(1, 600), "Longest wait for an answer, retries included.", 60),
        Variable(
            "TURN_DEADLINE_SECONDS",
            integer(1, 1_200),
            "Longest work on a message before its reply is stored; unset: 15 seconds more than MODEL_DEADLINE_SECONDS.",
        ),
    ),
    "Budgets": (
        Variable("DAILY_BUDGET_USD", dollars, "Most dollars that model calls may cost in a day, everybody's together."),
        Variable("USER_DAILY_BUDGET_USD", dollars, "Most dollars a day of a person for whom the admin sets no budget."),
        Variable(
            "UNPRICED_COST_USD_PER_MILLION",
            dollars,
            "What budgets take a million tokens of a model without a known price for; 0 if it runs at home.",
            Decimal(10),
        ),
    ),
    "Messages": (
        Variable("RATE_LIMIT_PER_USER", integer(1, 100_000), "Messages a person may send in a minute.", 10),
        Variable(
            "RATE_LIMIT_PER_ADMIN",
            integer(1, 100_000),
            "The same for admins, with every bot; empty: as everybody.",
        ),
        Variable(
            "RATE_LIMIT_PER_OWNER",
            integer(1, 100_000),
            "The same for owners, with every bot; empty: as everybody.",
        ),
        Variable("WORKER_CONCURRENCY", integer(1, 10_000), "Turns one worker process runs at once.", 100),
        Variable("WEBHOOK_MAX_BYTES", integer(1_024, 100_000_000), "Largest webhook body that is accepted.", 4_000_000),
        Variable(
            "DEFAULT_LANGUAGE",
            choice("en", "de", "es"),
            "Language of the sentences of bots that set none, and of pages whose reader's browser names none of these.",
            "en",
        ),
        Variable("PHONE_DEFAULT_REGION", region, "Country (such as DE) of numbers written without a country code.", ""),
        Variable(
            "WHATSAPP_API_URL",
            url("http", "https"),
            "WhatsApp Cloud API, with its version.",
            "https://graph.facebook.com/v26.0",
        ),
    ),
    "Operation": (
        Variable(
            "LOG_LEVEL", choice("DEBUG", "INFO", "WARNING", "ERROR"), "Least important lines that are logged.", "INFO"
        ),
        Variable(
            "LOG_FORMAT",
            choice("auto", "json", "pretty"),
            "Form of the log's lines; auto: json in production, pretty elsewhere.",
            "auto",
        ),
        Variable("SENTRY_DSN", sentry_dsn, "Where errors are reported (production only).", secret=True),
        Variable("SENTRY_RELEASE", text, "Version that error reports name.", ""),
        Variable(
            "READINESS_CHECKS",
            choices(*READINESS_CHECKS),
            "Which of db, redis, openai make /readyz answer 503; a failure of the others is told as degraded.",
            list(READINESS_CHECKS),
        ),
        Variable(
            "METRICS_TOKEN",
            text,
            "Bearer token that /metrics asks for; without one it answers nobody in production, else this machine.",
            "",
            secret=True,
        ),
    ),
}

VARIABLES: tuple[Variable, ...] = tuple(variable for section in SECTIONS.values() for variable in section)
SECRETS = frozenset(variable.name for variable in VARIABLES if variable.secret)
