"""Write the log lines of many messages and say what CPU they took: `python -m benchmarks.log_lines json 10000`.

They go to a file: as JSON with redaction (`json`), in the least form (`plain`), or nowhere (`off`).
"""

import json
import logging
import logging.config
import sys
import tempfile
import time
from uuid import uuid4

from config.logs.configuration import configure, logging_config
from config.logs.context import bind
from config.logs.redaction import hide, phone_hash, register_secrets

KEY = "benchmark-" + "k" * 50
# Of the environment and of three bots.
SECRETS = [f"secret-{number:02}-of-an-installation" for number in range(14)]


def write_message(number: int) -> int:
    """Log what a web process and a worker log of one message, and return how many lines that is."""
    web, worker = logging.getLogger("bot.queue.accept"), logging.getLogger("bot.worker.answering")
    address, request_id = f"+49151{number:08}", uuid4().hex
    chat = phone_hash(f"shop\0{address}", KEY)
    with bind(request_id=request_id):
        web.info("message_received", extra={"message_id": number, "kind": "text", "bot": "shop", "chat": chat})
    # (The worker is another process: it makes the hash once more.)
    chat = phone_hash(f"shop\0{address}", KEY)
    ids = {"turn_id": number, "bot": "shop", "chat": chat, "person": number % 500, "request_id": request_id}
    with bind(**ids), hide(address):
        worker.info("turn_started", extra={"message_ids": [number], "attempt": 1})
        answered = {"model": "gpt-6-luna-2026-01-01", "input_tokens": 812, "output_tokens": 96, "seconds": 1.284}
        answered["provider_request_id"] = f"req_{request_id}"
        logging.getLogger("bot.pipeline.stages.completion").info("model_answered", extra=answered)
        delivery = logging.getLogger("bot.worker.delivery")
        delivery.info("message_sent", extra={"outbound_id": number, "part": 1, "seconds": 0.211})
        delivery.info("turn_finished", extra={"outcome": "done", "seconds": 1.533, "stage": "completion"})
    return 5


def main(form: str, messages: int) -> None:
    """Write and measure."""
    sys.stderr = tempfile.TemporaryFile("w")  # noqa: SIM115 (as long as the process)
    register_secrets("benchmark", SECRETS)
    if form == "json":
        configure(logging_config(level="INFO", json=True))
    else:
        plain = logging.StreamHandler()
        plain.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
        logging.getLogger().addHandler(plain)
        logging.getLogger().setLevel("INFO" if form == "plain" else "CRITICAL")
    for number in range(messages // 10):
        write_message(number)
    began = time.process_time()
    lines = sum(write_message(number) for number in range(messages))
    seconds = time.process_time() - began
    sys.stdout.write(json.dumps({"ms": seconds / messages * 1_000, "lines": lines / messages}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
