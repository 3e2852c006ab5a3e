"""Which request is answered by what, and what the front asks of the operating system."""

import resource
from typing import Any

import pytest

from bot.front.application import FILES, allow_files, most_page_bytes
from bot.tests.front.calling import Caller
from bot.tests.front.granian import FakeScope
from bot.tests.front.standin import PagesStandIn

INFINITE = resource.RLIM_INFINITY


class Limits:
    """Stands in for the limits of this process."""

    def __init__(self, soft: int, hard: int) -> None:
        self.now = (soft, hard)
        self.RLIMIT_NOFILE, self.RLIM_INFINITY = resource.RLIMIT_NOFILE, INFINITE

    def getrlimit(self, _: int) -> tuple[int, int]:
        return self.now

    def setrlimit(self, _: int, limits: tuple[int, int]) -> None:
        self.now = limits


@pytest.mark.parametrize(
    ("soft", "hard", "allowed", "warned"),
    [
        (1_024, 1_048_576, FILES, False),
        (1_024, INFINITE, FILES, False),
        (INFINITE, INFINITE, INFINITE, False),
        (1_048_576, 1_048_576, 1_048_576, False),
        (1_024, 4_096, 4_096, True),
        (4_096, 4_096, 4_096, True),
    ],
)
def test_so_many_files_are_allowed_as_the_system_permits_and_too_few_are_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, soft: int, hard: int, allowed: int, warned: bool
) -> None:
    limits = Limits(soft, hard)
    monkeypatch.setattr("bot.front.application.resource", limits)
    allow_files(FILES)
    assert limits.now == (allowed, hard)
    told = [record for record in caplog.records if record.message == "few_files_allowed"]
    assert [(record.allowed, record.wanted) for record in told] == [(hard, FILES)] * warned  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/webhooks/", False), ("/webhooks/x", False), ("/healthz", False), ("/readyz", False), ("/", True),
        ("/healthz/", False), ("/readyz/", False), ("/healthz//", True),
        ("/readyz/x", True), ("/metrics", True), ("/admin/", True), ("/webhooks", True),
        ("//webhooks/whatsapp/shop/", True), ("/Webhooks/", True),
    ],
)  # fmt: skip
def test_only_webhooks_and_probes_are_not_the_pages(front: Caller, pages: PagesStandIn, path: str, asked: bool) -> None:
    front.ask("GET", path)
    assert bool(pages.asked) == asked


@pytest.mark.parametrize(("method", "target"), [("OPTIONS", "*"), ("CONNECT", "")])
def test_a_target_that_is_no_path_is_answered_and_no_crash(
    front: Caller, pages: PagesStandIn, caplog: pytest.LogCaptureFixture, method: str, target: str
) -> None:
    assert front.ask(method, target).status in (200, 400, 503)
    assert not [record for record in caplog.records if record.message == "request_crashed"]


@pytest.mark.parametrize("cookie", ["", "a=b", "session=x", None])
def test_who_has_no_session_uploads_a_form_at_most(settings: Any, cookie: str | None) -> None:
    given = [] if cookie is None else [("cookie", cookie)]
    assert most_page_bytes(FakeScope("POST", "/", given)) == 131_072
    signed_in = f"{settings.SESSION_COOKIE_NAME}=x; {cookie}"
    assert most_page_bytes(FakeScope("POST", "/", [("cookie", signed_in)])) == 10 * 1024 * 1024


def test_every_answer_has_an_id_of_its_own_and_names_no_server(front: Caller, pages: PagesStandIn) -> None:
    answers = [front.ask("GET", path) for path in ("/healthz", "/readyz", "/webhooks/", "/webhooks/whatsapp/shop/")]
    ids = {answer.header("x-request-id")[0] for answer in answers}
    assert len(ids) == 4 and all(len(one) == 32 for one in ids)
    assert {answer.header("server")[0] for answer in answers} == {"web"}
