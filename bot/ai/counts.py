"""Read what a completion used from its usage, in the dialects of compatible servers: the numbers that are billed.

Pure functions. What servers mean by the same names differs:

- completion_tokens includes reasoning (OpenAI, Azure, Groq, Mistral), or reasoning stands beside it (xAI), or only
  total_tokens tells of it (Gemini).
- prompt_tokens includes what was read from a cache and written into it (OpenAI, gateways); Anthropic's input_tokens is
  the rest.
"""

import math
import re
from dataclasses import dataclass
from typing import Any

LARGEST_COUNT = 1_000_000_000

# What other APIs call them, which some gateways pass on: Bedrock, Vercel's SDK, Gemini, Ollama.
_OTHER_NAMES = {
    "inputTokens": "input_tokens",
    "outputTokens": "output_tokens",
    "totalTokens": "total_tokens",
    "cacheReadInputTokens": "cache_read_input_tokens",
    "cacheWriteInputTokens": "cache_creation_input_tokens",
    "promptTokens": "prompt_tokens",
    "completionTokens": "completion_tokens",
    "promptTokenCount": "prompt_tokens",
    "candidatesTokenCount": "completion_tokens",
    "thoughtsTokenCount": "reasoning_tokens",
    "totalTokenCount": "total_tokens",
    "cachedContentTokenCount": "cached_tokens",
    "prompt_eval_count": "prompt_tokens",
    "eval_count": "completion_tokens",
}

_DIGITS = re.compile(r"\d{1,10}(?:\.0+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """Tokens as billed. input includes cached (read from a cache) and cache_writes; 0: not told."""

    input: int = 0
    output: int = 0
    cached: int = 0
    cache_writes: int = 0


def read_usage(usage: Any) -> TokenCounts:
    """Return the counts in a completion's usage; what is missing or impossible is 0."""
    if not isinstance(usage, dict):
        return TokenCounts()
    if "prompt_tokens" not in usage and "input_tokens" not in usage:
        # (Cohere's has what is billed and what it is, which is more, each in an object of its own.)
        named = usage["tokens"] if isinstance(usage.get("tokens"), dict) else usage
        usage = {_OTHER_NAMES.get(name, name): value for name, value in named.items()}
    total = count(usage.get("total_tokens"))
    cached, writes, beside = _cache(usage)
    completion = count(usage.get("completion_tokens")) or count(usage.get("output_tokens"))
    told = count(usage.get("prompt_tokens"))
    if told:
        # Tokens of the cache that do not fit into the prompt's, or only with them make up the total, were left out.
        is_beside = beside > told or (beside and told + beside + completion == total)
    else:
        told = count(usage.get("input_tokens"))
        is_beside = "input_tokens" in usage
    given = min(told + beside, LARGEST_COUNT) if is_beside else told
    output = max(_with_reasoning(usage, completion), total - given if given else 0)
    if not given and completion:
        given = max(0, total - output)
    cached = min(cached, given)
    return TokenCounts(given, min(output, LARGEST_COUNT), cached, min(writes, given - cached))


def count(value: Any) -> int:
    """Return a number of tokens, also of a float or of digits; 0 when it is none."""
    if type(value) is int:
        return value if 0 < value <= LARGEST_COUNT else 0
    if isinstance(value, str):
        value = float(value) if _DIGITS.fullmatch(value.strip()) else 0
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return count(int(value))
    return 0


def reasoning_tokens(usage: Any) -> int:
    """Return how many tokens a usage tells were reasoning; 0 when it tells nothing of it."""
    if not isinstance(usage, dict):
        return 0
    told = [usage, *_details(usage, "completion_tokens_details", "output_tokens_details")]
    return max(count(details.get("reasoning_tokens")) for details in told)


def _with_reasoning(usage: dict[str, Any], completion: int) -> int:
    """Return the tokens of an answer: more reasoning than there is answer cannot be a part of it."""
    reasoning = reasoning_tokens(usage)
    return completion + reasoning if reasoning > completion else completion


def _cache(usage: dict[str, Any]) -> tuple[int, int, int]:
    """Return the tokens read from a cache, those written into it, and how many of both Anthropic's names tell."""
    details = _details(usage, "prompt_tokens_details", "input_tokens_details")
    reads = count(usage.get("cache_read_input_tokens"))
    creation = count(usage.get("cache_creation_input_tokens"))
    cached = [count(one.get("cached_tokens")) for one in (*details, usage)]
    writes = [count(one.get(name)) for one in details for name in ("cache_write_tokens", "cache_creation_tokens")]
    # (DeepSeek's name for what was read.)
    hits = count(usage.get("prompt_cache_hit_tokens"))
    return max(reads, hits, *cached), max([creation, *writes]), reads + creation


def _details(usage: dict[str, Any], *names: str) -> list[dict[str, Any]]:
    return [details for name in names if isinstance(details := usage.get(name), dict)]
