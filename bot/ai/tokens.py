"""Count tokens without a tokenizer: at most so many, for budgets; and roughly so many, for what a model is shown."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final, Literal

from bot.ai.base import ChatMessage

# Current tokenizers need about 4 bytes a token for English and 3 to 5 for most other scripts; code and older models'
# Chinese come near 3.
BYTES_PER_TOKEN = 3
# Role and separators around each message, and the opening of the answer.
TOKENS_PER_MESSAGE = 4
TOKENS_PER_PROMPT = 3

# No tokenizer makes more tokens of a text than it has bytes: it begins with the bytes and joins them, or falls back to
# one token a byte for what it does not know. Digits, rare scripts and combining marks come near to that. Some normalise
# the text first, which may lengthen it.
FORMS: Final[tuple[Literal["NFC", "NFKC"], ...]] = ("NFC", "NFKC")
# Role, separators, and the space that some tokenizers put before a text.
MOST_TOKENS_PER_MESSAGE = 10
# The opening of the answer, and the system prompt that some models' templates add by themselves.
MOST_TOKENS_PER_PROMPT = 100

_PLAIN = re.compile("[A-Za-z ]")


def estimate_tokens(text: str) -> int:
    """Return roughly how many tokens a text has; at least 1. Hostile text may have three times as many."""
    return max(1, -(-_size(text) // BYTES_PER_TOKEN))


def estimate_prompt_tokens(messages: Iterable[ChatMessage]) -> int:
    """Return roughly how many tokens a prompt has."""
    tokens = TOKENS_PER_PROMPT
    for message in messages:
        tokens += estimate_tokens(message.content) + TOKENS_PER_MESSAGE
    return tokens


def cautious_prompt_tokens(messages: Iterable[ChatMessage]) -> int:
    """Return how many tokens a prompt has at most, unless its letters are no words of a language.

    Between the rough estimate, which digits and other scripts exceed up to threefold, and the bound, which has a token
    for each byte: two ASCII letters or spaces are taken for a token, and every other byte for one.
    """
    return MOST_TOKENS_PER_PROMPT + sum(_cautious(message.content) + MOST_TOKENS_PER_MESSAGE for message in messages)


def most_tokens(text: str) -> int:
    """Return a number of tokens that a text never exceeds, whatever the script and the model's tokenizer."""
    if text.isascii():
        return len(text)
    return max(_size(text), *(_size(unicodedata.normalize(form, text)) for form in FORMS))


def most_prompt_tokens(messages: Iterable[ChatMessage]) -> int:
    """Return a number of tokens that a prompt never exceeds."""
    return MOST_TOKENS_PER_PROMPT + sum(most_tokens(message.content) + MOST_TOKENS_PER_MESSAGE for message in messages)


def _cautious(text: str) -> int:
    plain = len(_PLAIN.findall(text))
    return _size(text) - plain // 2


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
