"""What an operator does in a browser, from signing in to a resolved message: real processes, a real Chromium."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.tests.browser import Browser, needs_browser, open_browser
from bot.tests.processes import System, running_system

pytestmark = [pytest.mark.processes, needs_browser]

OWNER, PASSWORD = "+4915155555555", "open sesame, please"
MAKE_OWNER = f"""
from users.models import User
User.objects.create_superuser({OWNER!r}, {PASSWORD!r})
"""


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A running Parley with an owner who may sign in."""
    with running_system(tmp_path_factory.mktemp("desk")) as system:
        system.manage("shell", "--verbosity", "0", "--command", MAKE_OWNER)
        system.start_web()
        system.start_worker()
        yield system


@pytest.fixture
def browser(system: System, tmp_path: Path) -> Iterator[Browser]:
    """A browser in which the owner is signed in."""
    with open_browser(f"http://127.0.0.1:{system.port}", tmp_path) as browser:
        browser.sign_in(OWNER, PASSWORD)
        yield browser


def test_the_owner_signs_in_and_no_script_or_policy_complains(browser: Browser) -> None:
    browser.sees("Dashboard")
    browser.open("/admin/users/user/")
    browser.sees("Whitelisted")
    assert browser.problems() == []
