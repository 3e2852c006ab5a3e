"""How much a model reasons before it answers (reasoning_effort): what is sent to which server and model.

A chat wants quick, cheap answers, and reasoning eats into the answer's cap. So where nothing was chosen, the models of
OpenAI are asked for as little as they take; other servers are sent nothing, for many refuse what they do not know.
"""

import logging
import re
from enum import StrEnum
from functools import lru_cache
from urllib.parse import urlsplit

logger = logging.getLogger(__name__)


class Effort(StrEnum):
    """What a bot can be set to. AUTO: as little as suits a chat; SERVER: nothing is sent; others: sent as they are."""

    AUTO = ""
    SERVER = "server"
    NONE = "none"
    MINIMAL = "minimal"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


# In ascending order.
LEVELS = (Effort.NONE, Effort.MINIMAL, Effort.LOW, Effort.MEDIUM, Effort.HIGH)
# Hosts of OpenAI's own models.
HOSTS = (".api.openai.com", ".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")
# Of a model whose name does not tell.
UNKNOWN = "unknown"
# Which models reason, and the least they take; the first that fits counts. None: they do not know the parameter.
LEAST: tuple[tuple[re.Pattern[str], str | None], ...] = tuple(
    (re.compile(pattern), least)
    for pattern, least in (
        (r"gpt-[34]|chatgpt|o1-(mini|preview)|.*(-chat|-audio|-realtime|-search|-transcribe|-tts|-image)", None),
        (r".*-(pro|deep-research)", UNKNOWN),
        (r"gpt-6-astra|gpt-6\.1-sol", Effort.LOW),
        (r"gpt-5(\.\d)?-codex|o[1-9]", Effort.LOW),
        (r"gpt-5(-|$)", Effort.MINIMAL),
        (r"gpt-(5\.|[6-9])", Effort.NONE),
    )
)
# Refusals call it by the parameter's name, or as the field of an object.
_NAMED = re.compile(rb"reasoning[_. ]effort", re.IGNORECASE)


class Efforts:
    """What a server is sent. It remembers for the process which of its models refuse to be told."""

    def __init__(self, base_url: str) -> None:
        self._is_openai = f".{urlsplit(base_url).hostname or ''}".endswith(HOSTS)
        self._left_out: set[str] = set()

    def of(self, model: str, chosen: str) -> str | None:
        """Return what to send for a model, None for nothing."""
        # (The one place for what else decides: a call with tools needs "none" where the model takes it.)
        if chosen == Effort.SERVER or model in self._left_out:
            return None
        least = least_of(model)
        if chosen == Effort.AUTO:
            return None if not self._is_openai or least in {None, UNKNOWN} else str(least)
        if self._is_openai and least is None:
            return None
        return _taken(chosen, least)

    def leave_out(self, model: str, effort: str) -> None:
        """Remember that a model's server refused it, and answered without."""
        if model not in self._left_out:
            self._left_out.add(model)
            logger.warning("model_effort_refused", extra={"model": model, "effort": effort})


@lru_cache(maxsize=256)
def least_of(model: str) -> str | None:
    """Return the least effort a model takes, by its name; None: it does not reason; UNKNOWN: the name tells nothing."""
    base = model.lower().removeprefix("ft:").partition(":")[0].rpartition("/")[2]
    return next((least for pattern, least in LEAST if pattern.match(base)), UNKNOWN)


def refuses_effort(status: int, raw: bytes) -> bool:
    """Return whether a refusal is about the effort: its value, or the parameter as such."""
    return status in {400, 422} and _NAMED.search(raw) is not None


def _taken(chosen: str, least: str | None) -> str:
    """Return the chosen effort, or the next one above it that the model takes."""
    if least is None or least == UNKNOWN or chosen not in LEVELS:
        return chosen
    if LEVELS.index(Effort(chosen)) < LEVELS.index(Effort(least)):
        return str(least)
    # ("minimal" was of gpt-5 alone: later models have "none" and "low".)
    return str(Effort.LOW) if chosen == Effort.MINIMAL and least != Effort.MINIMAL else chosen
