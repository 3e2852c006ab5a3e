"""What a turn is compared with: a loop that only makes the same model call through the same SDK.

`python -m benchmarks.sdk_loop <base url> <calls> --concurrency 100`: prints one JSON object with `seconds` and
`cpu_seconds` of all calls together, after one call more to warm up.
"""

import argparse
import asyncio
import json
import sys
import time

import openai

from benchmarks.payloads import TEXT

MODEL = "gpt-6-luna"
SYSTEM_PROMPT = "You are a helpful assistant. Answer briefly and in the person's language."
MAX_TOKENS = 1_024


async def call(client: openai.AsyncOpenAI, number: int) -> None:
    """Make one call."""
    answer = await client.chat.completions.create(
        model=MODEL,
        messages=[
            {"role": "system", "content": SYSTEM_PROMPT},
            {"role": "user", "content": f"{number}: {TEXT}"},
        ],
        max_tokens=MAX_TOKENS,
    )
    assert answer.choices[0].message.content


async def measure(base_url: str, calls: int, concurrency: int) -> dict[str, float]:
    """Make that many calls, at most `concurrency` at once."""
    http_client = openai.DefaultAioHttpClient()
    async with openai.AsyncOpenAI(api_key="none", base_url=base_url, http_client=http_client) as client:
        await call(client, 0)
        numbers = iter(range(calls))

        async def lane() -> None:
            for number in numbers:
                await call(client, number)

        cpu, began = time.process_time(), time.perf_counter()
        await asyncio.gather(*(lane() for _ in range(concurrency)))
        return {"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - cpu}


def main() -> None:
    """Read the command line and print what was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sdk_loop", description=__doc__)
    parser.add_argument("base_url")
    parser.add_argument("calls", type=int)
    parser.add_argument("--concurrency", type=int, required=True)
    options = parser.parse_args()
    result = asyncio.run(measure(options.base_url, options.calls, options.concurrency))
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
