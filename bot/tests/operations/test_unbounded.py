"""Whether nothing bounds what model calls may cost in a day."""

import pytest
from pytest_django.fixtures import Settings

from bot.operations.unbounded import is_near, nothing_bounds_cost


@pytest.mark.parametrize(
    ("url", "near"),
    [
        ("http://localhost:11434/v1", True),
        ("http://127.0.0.1:8080", True),
        ("http://192.168.1.7/v1", True),
        ("http://[::1]:11434/v1", True),
        ("http://ollama:11434/v1", True),
        ("http://model.internal/v1", True),
        ("https://api.openai.com/v1", False),
        ("https://9.9.9.9/v1", False),
        ("https://local.example.org/v1", False),
    ],
)
def test_a_server_is_near_as_far_as_its_name_tells(url: str, near: bool) -> None:
    assert is_near(url) is near


@pytest.mark.parametrize(
    ("changed", "unbounded"),
    [
        ({}, True),
        ({"LLM_PROVIDER": "demo"}, False),
        ({"OPENAI_BASE_URL": "http://localhost:11434/v1"}, False),
        ({"DAILY_BUDGET_MICROS": 0}, False),
        ({"USER_DAILY_BUDGET_MICROS": 1}, False),
    ],
)
def test_a_paid_model_without_any_budget_is_unbounded(
    settings: Settings, changed: dict[str, object], unbounded: bool
) -> None:
    paid = {"LLM_PROVIDER": "openai", "OPENAI_BASE_URL": "https://api.openai.com/v1"}
    no_budget = {"DAILY_BUDGET_MICROS": None, "USER_DAILY_BUDGET_MICROS": None}
    for name, value in {**paid, **no_budget, **changed}.items():
        setattr(settings, name, value)
    assert nothing_bounds_cost() is unbounded
