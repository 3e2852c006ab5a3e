"""Run a worker process: `manage.py runworker`."""

import asyncio
import gc
import signal
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from bot.ai import create_model
from bot.worker.worker import Worker

# A turn leaves hardly anything that only the collector frees. Python's own 700 let it look some hundred times a second,
# an eighth of a message's CPU.
COLLECT_AFTER = 10_000


class Command(BaseCommand):
    """Answer messages until SIGTERM or SIGINT; then finish the current turns and exit with 0."""

    # They would load every page, form and template of the web process, and hold that memory for good.
    requires_system_checks = ()
    help = "Answers messages. Run as many as you like, on as many machines as you like."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--concurrency", type=int, default=settings.WORKER_CONCURRENCY, help="Turns at once.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the event loop."""
        if options["concurrency"] < 1:
            raise CommandError("--concurrency must be at least 1.")
        asyncio.run(_run(options["concurrency"]))


async def _run(concurrency: int) -> None:
    model = create_model(settings.LLM_PROVIDER)
    worker = Worker(concurrency, model_factory=lambda: model)
    # What was imported stays: it need not be looked through again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, worker.stop)
    await worker.run()
