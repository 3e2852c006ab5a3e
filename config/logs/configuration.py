"""Configuration of Python's logging: levels, handlers and line formats."""

import logging
import logging.config
import sys
import threading
from typing import Any

from config.logs.lines import JsonLines, OneLiners
from config.logs.sampling import SampledHandler

logger = logging.getLogger(__name__)

# Client libraries that log addresses, headers and whole prompts at INFO or DEBUG, whatever LOG_LEVEL says.
_TALKATIVE = ("aiohttp", "asyncio", "django.db.backends", "httpcore", "httpx", "httpx2", "openai", "urllib3")


def logging_config(*, level: str, json: bool, texts: bool = False) -> dict[str, Any]:
    """Return the configuration of Python's logging: everything at level or above goes to stderr, once.

    texts: show the messages of exceptions, which may contain anything; for developers.
    """
    quiet = "WARNING" if level in {"DEBUG", "INFO"} else level
    # Their own handlers are removed (Django's mail and console, granian's): the root's is the only one.
    through_root = {"handlers": [], "propagate": True}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": JsonLines if json else OneLiners, "texts": texts}},
        "handlers": {"stderr": {"()": SampledHandler, "formatter": "lines"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            **{name: {**through_root, "level": level} for name in ("django", "django-q", "_granian")},
            **{name: {"level": quiet} for name in _TALKATIVE},
            # bot.web.access_log logs each request in one line, without path and query; a failed one has a traceback.
            "django.request": {"level": "ERROR"},
            "django.server": {**through_root, "level": "CRITICAL"},
            "granian.access": {**through_root, "level": "CRITICAL"},
            # It logs every missing variable of a template.
            "django.template": {"level": quiet},
            # It logs a traceback for each failed probe; bot.monitoring.health logs one line.
            "health_check": {"level": "ERROR"},
        },
    }


def configure(config: dict[str, Any]) -> None:
    """Configure logging (settings.LOGGING_CONFIG), including code that would write to stderr in another format."""
    logging.config.dictConfig(config)
    if config["formatters"]["lines"]["()"] is JsonLines:
        # Not in our lines, so skip collecting it for each record, as logging's manual advises.
        logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
        logging._srcfile = None
        logging.captureWarnings(True)
        sys.excepthook = _log_crash
        threading.excepthook = _log_thread_crash


def _log_crash(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logger.critical("process_crashed", exc_info=(kind, error, trace))


def _log_thread_crash(arguments: Any) -> None:
    if arguments.exc_value is not None:
        logger.critical("thread_crashed", exc_info=(arguments.exc_type, arguments.exc_value, arguments.exc_traceback))
