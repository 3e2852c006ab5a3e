"""Logging that is configured for real."""

import logging
import logging.config
from collections.abc import Callable, Iterator

import pytest

from config.logs.configuration import logging_config

Lines = Callable[[], list[str]]


@pytest.fixture
def configure(capsys) -> Iterator[Callable[..., Lines]]:
    """Configure logging for real, as settings do, with stderr caught; the loggers are put back afterwards."""
    names = [
        "",
        "django",
        "django.server",
        "django.request",
        "django.template",
        "django-q",
        "_granian",
        "granian.access",
        "health_check",
        "openai",
        "some.app",
    ]
    before = [(logging.getLogger(name), logging.getLogger(name).level) for name in names]
    handlers = [(logger, list(logger.handlers), logger.propagate) for logger, _ in before]
    written: list[str] = []

    def configure(*, level: str = "INFO", json: bool = True, texts: bool = False) -> Lines:
        logging.config.dictConfig(logging_config(level=level, json=json, texts=texts))
        return read

    def read() -> list[str]:
        # By "\n" only: that is what ends a line for whoever collects them.
        written.extend(capsys.readouterr().err.split("\n")[:-1])
        return written

    yield configure
    for logger, level in before:
        logger.setLevel(level)
    for logger, own, propagate in handlers:
        logger.handlers[:] = own
        logger.propagate = propagate
