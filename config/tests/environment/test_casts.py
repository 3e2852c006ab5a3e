"""Values of variables become plain ones, or it is said what was expected."""

import pytest

from config.environment.casts import micros, model_url
from config.environment.read import validate
from config.tests.environment.values import BASE, problems_of


def test_budgets_are_read_in_dollars_and_kept_in_micro_dollars():
    names = ("DAILY_BUDGET_USD", "USER_DAILY_BUDGET_USD", "UNPRICED_COST_USD_PER_MILLION")
    unset, _ = validate({}, BASE)
    assert [micros(unset[name]) for name in names] == [None, None, 10_000_000]
    given, problems = validate(dict(zip(names, (" 12.50 ", "0", "0.000001"), strict=True)), BASE)
    assert problems == []
    assert [micros(given[name]) for name in names] == [12_500_000, 0, 1]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("ENVIRONMENT", "prod", "must be one of development, production, test (found 'prod')"),
        ("PORT", "web", "must be a whole number from 1 to 65535 (found 'web')"),
        ("PORT", "70000", "must be a whole number from 1 to 65535 (found '70000')"),
        (
            "DAILY_BUDGET_USD",
            "$5",
            "must be an amount of dollars such as 25 or 0.50, with at most 6 decimals (found '$5')",
        ),
        ("DAILY_BUDGET_USD", "1,000", "must be an amount of dollars such as 25 or 0.50"),
        ("DAILY_BUDGET_USD", "NaN", "must be an amount of dollars"),
        ("USER_DAILY_BUDGET_USD", "-1", "must be an amount of dollars"),
        ("USER_DAILY_BUDGET_USD", "0.0000001", "must be an amount of dollars"),
        ("UNPRICED_COST_USD_PER_MILLION", "1e9", "must be an amount of dollars"),
        ("ALLOW_SQLITE", "yes please", "must be true or false (found 'yes please')"),
        ("ALLOWED_HOSTS", "https://a.example", "must be host names such as parley.example.org, without scheme, "),
        ("ALLOWED_HOSTS", "a.example:3000", "must be host names"),
        ("PUBLIC_URL", "parley.example.org", "must be http:// or https:// and a host, without a path"),
        ("PUBLIC_URL", "https://parley.example.org/path", "must be http:// or https:// and a host, without a path"),
        ("TIME_ZONE", "Mars/Olympus", "must be a time zone such as UTC or Europe/Berlin (found 'Mars/Olympus')"),
        ("TIME_ZONE", "../../etc/passwd", "must be a time zone"),
        ("PHONE_DEFAULT_REGION", "UK", "must be the two letters of a country, such as DE or GB (found 'UK')"),
        ("REDIS_URL", "cache:6379", "must be a URL that starts with redis:// or rediss:// and names a host"),
        ("REDIS_URL", "redis://cache:port/0", "must be a URL that starts with redis:// or rediss://"),
        ("OPENAI_BASE_URL", "ftp://x", "must be a URL that starts with http:// or https:// and names a host"),
        ("OPENAI_BASE_URL", "http://", "must be a URL that starts with http:// or https:// and names a host"),
        ("OPENAI_BASE_URL", "api.openai.com/v1", "must be a URL that starts with http:// or https:// and names a host"),
        ("OPENAI_BASE_URL", "ollama:11434/v1", "must be a URL that starts with http:// or https:// and names a host"),
        ("OPENAI_BASE_URL", "http://vllm:8000/v1/chat/completions", "must end before /chat/completions, which is"),
        ("OPENAI_BASE_URL", "http://vllm:8000/v1/chat/completions/", "must end before /chat/completions, which is"),
        ("OPENAI_BASE_URL", "https://api.openai.com/v1/responses", "must end before /chat/completions, which is"),
        ("OPENAI_BASE_URL", "https://a.openai.azure.com/openai/v1?api-version=1", "must have no ? and no #"),
        ("OPENAI_BASE_URL", "https://gateway.example/v1?", "must have no ? and no #"),
        ("OPENAI_BASE_URL", "https://gateway.example/v1#chat", "must have no ? and no #"),
        ("OPENAI_BASE_URL", "https://a.openai.azure.com/openai/deployments/d", "must be Azure's newer address"),
        ("LLM_PROVIDER", "gpt", "must be one of openai, demo (found 'gpt')"),
        ("LOG_LEVEL", "LOUD", "must be one of DEBUG, INFO, WARNING, ERROR (found 'LOUD')"),
        ("SENTRY_DSN", "https://sentry.io/1", "must be a Sentry DSN such as https://key@o1.ingest.sentry.io/1"),
        ("DATABASE_URL", "notaurl", "must be a URL such as postgres://user:password@host:5432/name"),
        ("DATABASE_URL", "mysql://u:p@h/n", "must be a URL such as postgres://user:password@host:5432/name"),
        ("DATABASE_URL", "postgres://u:p@h:port/n", "must be a URL such as postgres://user:password@host:5432/name"),
        ("DATABASE_URL", "postgres://u:p@h:5432/", "must be a URL such as postgres://user:password@host:5432/name"),
        ("DATABASE_URL", "sqlite://data/db.sqlite3", "must have three slashes and a path: sqlite:///path/to/file"),
        ("DATABASE_URL", "sqlite://", "names a database in memory, which web, worker and scheduler cannot share"),
        ("DATABASE_URL", "sqlite:///:memory:", "names a database in memory"),
        ("OPENAI_API_KEY", "canary", "must start with sk- (unless OPENAI_BASE_URL points to another server)"),
        ("MAX_MODEL_TOKENS", "1", "must be a whole number from 256 to 2000000 (found '1')"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(name, value, expected):
    (problem,) = problems_of(**{name: value})
    assert problem.startswith(f"{name} {expected}")


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("http://ollama:11434", "http://ollama:11434/v1"),
        (" http://ollama:11434/ ", "http://ollama:11434/v1"),
        ("http://vllm:8000/v1/  ", "http://vllm:8000/v1"),
        ("https://gateway.example/llm", "https://gateway.example/llm"),
        ("https://a.openai.azure.com", "https://a.openai.azure.com/openai/v1"),
        ("https://a.services.ai.azure.com/", "https://a.services.ai.azure.com/openai/v1"),
        ("https://api.groq.com", "https://api.groq.com/openai/v1"),
        ("https://api.perplexity.ai", "https://api.perplexity.ai"),
        ("https://models.inference.ai.azure.com", "https://models.inference.ai.azure.com"),
        ("https://not-api.groq.com.example", "https://not-api.groq.com.example/v1"),
    ],
)
def test_the_address_of_a_models_server_is_completed_where_it_is_a_host_only(given, used):
    assert model_url(given) == used
