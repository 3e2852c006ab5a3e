"""Language models. `create_model()` is the one place that knows the concrete adapters."""

from django.conf import settings

from bot.ai.base import LanguageModel
from bot.ai.breaker import CircuitBreaker


def create_model(provider: str) -> LanguageModel:
    """Return a model of the provider (LLM_PROVIDER), configured from the settings. It belongs to one event loop.

    Raises:
        LookupError: no provider is called so.
    """
    # Imported late: openai costs 0.7 s and 44 MB, and only a worker that uses it should pay.
    if provider == "openai":
        from bot.ai.openai import OpenAIModel

        return CircuitBreaker(
            OpenAIModel(settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL, settings.OPENAI_MAX_TOKENS_PARAMETER)
        )
    if provider == "demo":
        from bot.ai.demo import DemoModel

        return DemoModel()
    raise LookupError(f"no model provider is called {provider!r}; there are: demo, openai")
