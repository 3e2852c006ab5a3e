"""Count tokens without a tokenizer: on the safe side, whatever the model."""

from collections.abc import Iterable

from bot.llm.base import ChatMessage

# Current tokenizers need about 4 bytes a token for English and 3 to 5 for most other scripts; code, digits and older
# models' Chinese come near 3. Budgets are reserved by the estimate and settled by the provider's own count.
BYTES_PER_TOKEN = 3
# Role and separators around each message, and the opening of the answer.
TOKENS_PER_MESSAGE = 4
TOKENS_PER_PROMPT = 3


def estimate_tokens(text: str) -> int:
    """Return roughly, and rather too high, how many tokens a text has; at least 1."""
    size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    return max(1, -(-size // BYTES_PER_TOKEN))


def estimate_prompt_tokens(messages: Iterable[ChatMessage]) -> int:
    """Return roughly, and rather too high, how many tokens a prompt has."""
    return TOKENS_PER_PROMPT + sum(estimate_tokens(message.content) + TOKENS_PER_MESSAGE for message in messages)
