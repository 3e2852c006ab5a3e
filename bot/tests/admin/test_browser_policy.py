"""The desk's pages work in a browser that evaluates no text as a script: menus, sheets, actions, and no complaint."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.tests.admin.test_desk_accessibility import OPENED, OWNER, PASSWORD, PEOPLE, PREPARE, shown_to_owners
from bot.tests.support.browser import DESKTOP, PHONE, Browser, needs_browser, open_browser
from bot.tests.support.processes import System, running_system
from bot.web.page_policy import POLICY

pytestmark = [pytest.mark.processes, needs_browser]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A Parley with something on every page."""
    with running_system(tmp_path_factory.mktemp("policy")) as system:
        system.start_web()
        system.start_pages()
        yield system


@pytest.fixture(scope="module")
def ids(system: System) -> dict[str, Any]:
    """The newest row of each model."""
    found: dict[str, Any] = json.loads(system.manage("shell", "-v", "0", "--command", PREPARE).splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def window(system: System, ids: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with open_browser(f"http://127.0.0.1:{system.port}", tmp_path_factory.mktemp("profile")) as browser:
        browser.sign_in(OWNER, PASSWORD)
        yield browser


@pytest.fixture
def browser(window: Browser, tmp_path: Path) -> Browser:
    """A browser in which the owner is signed in; tmp_path is where a picture of a failure goes."""
    window.resize(*DESKTOP)
    complaints(window)
    return window


def complaints(browser: Browser) -> list[str]:
    """Return what the browser has said since it was asked last: Alpine only warns of what it cannot evaluate."""
    said = [entry for entry in browser.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
    # A page that names no icon (JSON, say) has the browser ask for one by itself, whenever it likes.
    return [entry["message"] for entry in said if "/favicon.ico " not in entry["message"]]


def test_no_page_of_the_desk_needs_a_text_evaluated(browser: Browser, ids: dict[str, Any]) -> None:
    assert "unsafe-eval" not in POLICY
    wrong, looked_at = {}, 0
    for page in shown_to_owners():
        before = browser.driver.current_url
        browser.open(page.path(ids))
        is_page = browser.script("return document.contentType") == "text/html"
        if browser.driver.current_url == before or not is_page:
            complaints(browser)
            continue  # a file to download, or a script
        looked_at += 1
        if found := complaints(browser):
            wrong[page.key] = found
    assert wrong == {}, json.dumps(wrong, indent=1)
    assert looked_at > 50


def is_shown(browser: Browser, selector: str) -> bool:
    return bool(browser.script("return !!document.querySelector(arguments[0])?.checkVisibility()", selector))


def test_what_a_page_opens_opens_and_what_it_remembers_is_remembered(browser: Browser, ids: dict[str, Any]) -> None:
    browser.open(PEOPLE)
    menu = '#nav-sidebar nav[x-show="openUserLinks"]'
    assert not is_shown(browser, menu)
    browser.click(OPENED["menu of the person"])
    browser.wait(lambda: is_shown(browser, menu), "the menu")
    browser.script("document.querySelector(arguments[0]).click()", f"{menu} [x-on\\:click*=\"'dark'\"]")
    browser.find("html.dark")
    browser.open(PEOPLE)
    browser.find("html.dark")
    browser.script("localStorage.clear()")

    browser.open(PEOPLE)
    browser.click(OPENED["filters"])
    browser.wait(lambda: is_shown(browser, "#changelist-filter"), "the filters")
    browser.open(PEOPLE)
    browser.click(OPENED["actions"])
    browser.wait(lambda: is_shown(browser, "#changelist-actions select[name=action]"), "the actions")

    toggle = 'button[x-on\\:click*="sidebarDesktopOpen"]'
    browser.click(toggle)
    browser.wait(lambda: not is_shown(browser, "#nav-sidebar"), "the sidebar is closed")
    browser.open(PEOPLE)
    browser.wait(lambda: not is_shown(browser, "#nav-sidebar"), "it stays closed")
    browser.click(toggle)
    browser.wait(lambda: is_shown(browser, "#nav-sidebar"), "the sidebar")
    browser.resize(*PHONE, phone=True)
    browser.open(PEOPLE)
    browser.click('button[x-on\\:click*="sidebarMobileOpen"]')
    browser.wait(lambda: is_shown(browser, "#nav-sidebar"), "the sidebar of a phone")
    assert complaints(browser) == []


def test_a_script_or_a_style_that_somebody_gets_into_a_page_is_not_run(browser: Browser) -> None:
    browser.open(PEOPLE)
    accent = "return getComputedStyle(document.documentElement).getPropertyValue('--color-primary-600').trim()"
    assert browser.script(accent), "unfold's colours are there"
    browser.script(
        "const place = document.getElementById('content');"
        "place.insertAdjacentHTML('beforeend', `<style>:root { --injected: 1 }</style>"
        '<img src="/nowhere" onerror="window.injected = 1">'
        '<div x-data="{}" x-init="$el.ownerDocument.defaultView.injected = 2"></div>'
        '<div x-data="{}" x-init="constructor.constructor(\'window.injected = 3\')()"></div>`);'
        "const script = document.createElement('script'); script.text = 'window.injected = 4'; place.append(script);"
    )
    browser.wait(lambda: len(complaints(browser)) > 0, "the browser refuses")
    assert browser.script("return window.injected ?? null") is None
    injected = "return getComputedStyle(document.documentElement).getPropertyValue('--injected')"
    assert browser.script(injected) == ""
