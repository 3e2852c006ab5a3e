"""How long an idle worker takes from the webhook's 200 to asking the model."""

import http.client
import random
import time

from benchmarks.databases import fresh
from benchmarks.figures import BenchmarkError, Check, Part, percentile
from benchmarks.machine import wait_until
from benchmarks.payloads import WEBHOOK_PATH, body, signature
from benchmarks.processes import Run, seed
from benchmarks.servers import front, worker
from benchmarks.standin_log import StandInLog
from bot.dev.standins.process import StandIn

SAMPLES = 100
WARM_UP = 5
PAUSE_SECONDS = (0.05, 0.15)
ANSWER_SECONDS = 15
COLUMNS = ("p50 ms", "p95 ms", "longest ms")


def measure(run: Run, kind: str) -> Part:
    """Measure the latency of single messages of distinct people, one after the other."""
    logs = [run.directory / f"pickup-{name}.jsonl" for name in ("model", "channel")]
    with fresh(kind, "pickup", run.directory) as database:
        seed(database, 0, WARM_UP + SAMPLES)
        with (
            StandIn.start("model", log=logs[0]) as model,
            StandIn.start("whatsapp", log=logs[1]) as channel,
            worker(run, database, model.url, channel.url),
            front(run, database) as server,
        ):
            asked, sent = StandInLog(logs[0]), StandInLog(logs[1])
            answered = [sample(server.port, person, sent) for person in range(WARM_UP + SAMPLES)]
            asked_at = {request["body"]["messages"][-1]["content"]: request["time"] for request in asked.answered()}
    pickup = [(asked_at[text(person)] - at) * 1_000 for person, at in enumerate(answered) if person >= WARM_UP]
    row = [percentile(pickup, 50), percentile(pickup, 95), max(pickup)]
    notes = [
        f"{SAMPLES} messages, one after the other, {PAUSE_SECONDS[0] * 1000:g} to {PAUSE_SECONDS[1] * 1000:g} ms apart",
    ]
    problems = [] if len(asked_at) == len(answered) == len(sent.answered()) else ["a message was not answered once"]
    check = Check("pickup p50", row[0], "ms", at_most=25)
    return Part("pickup", kind, COLUMNS, {"200 → model": row}, [check], notes, problems, details={"ms": pickup})


def sample(port: int, person: int, sent: StandInLog) -> float:
    """Deliver a person's message, wait for its reply and a little longer; return when the webhook was answered."""
    content = body(f"wamid.pickup{person}", person, int(time.time()), text(person))
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": signature(content)}
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
    client.request("POST", WEBHOOK_PATH, content, headers)
    response = client.getresponse()
    response.read()
    answered = time.time()
    client.close()
    if response.status != 200:
        raise BenchmarkError(f"the webhook answered {response.status}")
    wait_until(lambda: len(sent.answered()) > person, ANSWER_SECONDS, f"message {person} answered")
    time.sleep(random.uniform(*PAUSE_SECONDS))
    return answered


def text(person: int) -> str:
    """Return what a person writes."""
    return f"pickup {person}"
