"""Environments that are good."""

from pathlib import Path

from config.environment.read import validate

PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "zX8q3vN1mK5rT7wB2yD4fG6hJ9lP0sA1cV3bN5mQ7wE9rT2yU4iO",
    "ALLOWED_HOSTS": "parley.example.org",
    "PUBLIC_URL": "https://parley.example.org/",
    "DATABASE_URL": "postgres://parley:canary@db:5432/parley",
    "REDIS_URL": "redis://:canary@cache:6379/0",
    "OPENAI_API_KEY": "sk-canary",
}
BASE = Path(__file__).resolve().parents[3]


def problems_of(**environment: str) -> list[str]:
    return validate(environment, BASE)[1]
