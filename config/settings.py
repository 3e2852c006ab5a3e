"""Django's settings, built from the validated environment. Nothing is configured per process."""

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from config.db.databases import database
from config.desk.sidebar import UNFOLD as UNFOLD
from config.environment.casts import micros
from config.environment.explain import EnvironmentProblems
from config.environment.read import load_environment, wants_json_logs
from config.logs.configuration import logging_config
from config.logs.redaction import register_secrets
from config.logs.sentry import init_sentry

BASE_DIR = Path(__file__).resolve().parent.parent

try:
    env = load_environment(BASE_DIR)
except EnvironmentProblems as problems:
    # Every process (web, worker, scheduler, command) says what is wrong and stops, without a traceback.
    raise SystemExit(str(problems)) from None

ENVIRONMENT: str = env["ENVIRONMENT"]
PRODUCTION = ENVIRONMENT == "production"
DEBUG = ENVIRONMENT == "development"
SECRET_KEY: str = env["SECRET_KEY"]
SECRET_KEY_FALLBACKS: list[str] = env["SECRET_KEY_FALLBACKS"]
PUBLIC_URL: str = env["PUBLIC_URL"]
LOCAL_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS: list[str] = env["ALLOWED_HOSTS"] if PRODUCTION else [*LOCAL_HOSTS, *env["ALLOWED_HOSTS"]]

INSTALLED_APPS = [
    # Each before those whose templates it replaces.
    "config.desk",
    "config.apps.Unfold",
    "config.apps.Admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "users",
    "conversations",
    "usage",
    "bot",
    # After bot, whose qcluster command stands before django-q2's.
    "django_q",
]

MIDDLEWARE = [
    # First, because a webhook needs nothing of what follows: it has no session, no cookie and no page.
    "bot.web.middleware.webhooks_first",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "bot.web.page_policy.page_policy",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# What staff are told on their next page waits in their browser, signed: it may name somebody who is erased meanwhile.
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"

# --- data ---
DATABASES = {"default": database(env["DATABASE_URL"])}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL: str | None = env["REDIS_URL"]
CACHES: dict[str, dict[str, Any]] = {
    "default": (
        {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},
        }
        if REDIS_URL
        else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    )
}

# django-q2 only runs schedules here: few tasks, each once, none worth keeping a row of.
Q_CLUSTER: dict[str, Any] = {
    "name": "parley",
    "workers": 1,
    "timeout": 3_000,
    "retry": 3_600,
    "queue_limit": 1,
    "max_attempts": 3,
    "ack_failures": True,
    "save_limit": -1,
    "catch_up": False,
    **({"redis": REDIS_URL} if REDIS_URL else {"orm": "default", "poll": 1}),
}

# --- people ---
AUTH_USER_MODEL = "users.User"
AUTHENTICATION_BACKENDS = ["users.login.backends.RoleBackend"]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
PHONE_DEFAULT_REGION: str = env["PHONE_DEFAULT_REGION"]
CONVERSATION_TTL_DAYS: int = env["CONVERSATION_TTL_DAYS"]
USAGE_RETENTION_DAYS: int = env["USAGE_RETENTION_DAYS"]
RATE_LIMIT_PER_USER: int = env["RATE_LIMIT_PER_USER"]
RATE_LIMIT_PER_ADMIN: int | None = env["RATE_LIMIT_PER_ADMIN"]
RATE_LIMIT_PER_OWNER: int | None = env["RATE_LIMIT_PER_OWNER"]

# --- model ---
LLM_PROVIDER: str = env["LLM_PROVIDER"]
OPENAI_API_KEY: str = env["OPENAI_API_KEY"]
OPENAI_BASE_URL: str = env["OPENAI_BASE_URL"]
OPENAI_GPT_MODEL: str = env["OPENAI_GPT_MODEL"]
OPENAI_MAX_TOKENS_PARAMETER: str = env["OPENAI_MAX_TOKENS_PARAMETER"]
MAX_MODEL_TOKENS: int = env["MAX_MODEL_TOKENS"]
MAX_REPLY_TOKENS: int = env["MAX_REPLY_TOKENS"]
MODEL_DEADLINE_SECONDS: int = env["MODEL_DEADLINE_SECONDS"]
TURN_DEADLINE_SECONDS: int = env["TURN_DEADLINE_SECONDS"] or MODEL_DEADLINE_SECONDS + 15

# --- budgets (micro-dollars; None: no cap) ---
DAILY_BUDGET_MICROS: int | None = micros(env["DAILY_BUDGET_USD"])
USER_DAILY_BUDGET_MICROS: int | None = micros(env["USER_DAILY_BUDGET_USD"])
UNPRICED_MICROS_PER_MILLION: int = micros(env["UNPRICED_COST_USD_PER_MILLION"]) or 0

# --- messages ---
WHATSAPP_API_URL: str = env["WHATSAPP_API_URL"]
WORKER_CONCURRENCY: int = env["WORKER_CONCURRENCY"]
WEBHOOK_MAX_BYTES: int = env["WEBHOOK_MAX_BYTES"]
DATA_UPLOAD_MAX_MEMORY_SIZE = WEBHOOK_MAX_BYTES

# --- pages ---
CSRF_FAILURE_VIEW = "bot.web.error_pages.csrf_failure"
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_CODE: str = env["DEFAULT_LANGUAGE"]
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("es", "Español")]
TIME_ZONE: str = env["TIME_ZONE"]
USE_I18N = True
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = not PRODUCTION
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# --- security ---
# Production is reached through a proxy of ours only: what it says of a request's scheme and client is true.
BEHIND_PROXY = PRODUCTION
TRUSTED_PROXIES: int = env["TRUSTED_PROXIES"]
CLIENT_ADDRESS_META = f"HTTP_{env['CLIENT_ADDRESS_HEADER'].upper().replace('-', '_')}"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
if PRODUCTION:
    CSRF_TRUSTED_ORIGINS = [f"{urlsplit(PUBLIC_URL).scheme}://{urlsplit(PUBLIC_URL).netloc}"]
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = env["HSTS_INCLUDE_SUBDOMAINS"]
    SECURE_HSTS_PRELOAD = env["HSTS_PRELOAD"]
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = True
    # A browser takes these from this host only, by https, for all of it: no subdomain can set one for us.
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    LANGUAGE_COOKIE_NAME = "__Host-django_language"
    MESSAGE_STORAGE = "config.desk.message_storage.HostStorage"

# --- operation ---
# What HSTS does not say beyond this host was chosen.
SILENCED_SYSTEM_CHECKS = [
    check
    for check, chosen in (("security.W005", "HSTS_INCLUDE_SUBDOMAINS"), ("security.W021", "HSTS_PRELOAD"))
    if PRODUCTION and not env[chosen]
]
PORT: int = env["PORT"]
WEB_THREADS: int = env["WEB_THREADS"]
PAGES_SOCKET = str(BASE_DIR / env["PAGES_SOCKET"])
READINESS_CHECKS: list[str] = env["READINESS_CHECKS"]
METRICS_TOKEN: str = env["METRICS_TOKEN"]
JSON_LOGS = wants_json_logs(env)
LOGGING_CONFIG = "config.logs.configuration.configure"
LOGGING = logging_config(level=env["LOG_LEVEL"], json=JSON_LOGS, texts=DEBUG)
register_secrets(
    "environment",
    [
        *(SECRET_KEY, *SECRET_KEY_FALLBACKS, OPENAI_API_KEY, METRICS_TOKEN),
        *(str(DATABASES["default"].get("PASSWORD") or ""), unquote(urlsplit(REDIS_URL or "").password or "")),
    ],
)
if PRODUCTION and env["SENTRY_DSN"]:
    init_sentry(env["SENTRY_DSN"], ENVIRONMENT, env["SENTRY_RELEASE"])
