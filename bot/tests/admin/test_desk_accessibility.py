"""Every page of the desk in a browser: no serious fault for axe-core, no sideways scrolling, and no mouse needed."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin import site
from selenium.webdriver.common.keys import Keys

from bot.tests.support.axe import faults, needs_axe
from bot.tests.support.browser import DESKTOP, PHONE, Browser, needs_browser, open_browser
from bot.tests.support.desk_table import ANYBODY, NOBODY, needs
from bot.tests.support.pages import Page, pages
from bot.tests.support.processes import System, running_system

pytestmark = [pytest.mark.processes, needs_browser, needs_axe]

OWNER, PASSWORD = "+4915155555555", "open sesame, please"
PREPARE = f"""
import json
from bot.tests.support.desk_rows import fill_desk
from users.models import User
User.objects.create_superuser({OWNER!r}, {PASSWORD!r})
print(json.dumps(fill_desk()))
"""
PEOPLE = "/admin/users/user/"
# Parts of pages, and answers for scripts.
NO_PAGES = {"search", "jsi18n", "story", "updates", "document"}
GENERIC = re.compile(r"\w+_(changelist|add|change|history|delete)")
WIDTHS = {"wide": (DESKTOP, False), "phone": (PHONE, True)}
# (Contrast is measured when colours have arrived at what they change to.)
AT_REST = """
const style = new CSSStyleSheet();
style.replaceSync("*, ::before, ::after { transition: none !important; animation: none !important }");
document.adoptedStyleSheets = [style];
"""
# unfold's pages decide by a class, when they are loaded; ours by what the system prefers.
DARKEN = """
const unfold = document.documentElement.hasAttribute("x-data");
if (unfold) document.documentElement.classList.toggle("dark", arguments[0] === "dark");
"""


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A Parley with something on every page."""
    with running_system(tmp_path_factory.mktemp("pages")) as system:
        system.start_web()
        system.start_pages()
        yield system


@pytest.fixture(scope="module")
def ids(system: System) -> dict[str, Any]:
    """The newest row of each model."""
    printed = system.manage("shell", "--verbosity", "0", "--command", PREPARE)
    found: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def window(system: System, ids: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with open_browser(f"http://127.0.0.1:{system.port}", tmp_path_factory.mktemp("profile")) as browser:
        browser.sign_in(OWNER, PASSWORD)
        yield browser


@pytest.fixture
def browser(window: Browser, tmp_path: Path) -> Browser:
    """A browser in which the owner is signed in."""
    window.resize(*DESKTOP)
    window.problems()
    return window


def shown_to_owners() -> list[Page]:
    """Return the pages that there are to look at."""
    found = [(page, needs(page)) for page in pages() if page.key not in NO_PAGES]
    return [page for page, need in found if need and need.status in (200, 302) and need.need not in (ANYBODY, NOBODY)]


def template_of(page: Page) -> str:
    """Return what a page is made with: the admin's kinds of pages are the same for every model without its own."""
    kind = GENERIC.fullmatch(page.name)
    if kind is None or not page.model:
        return "redirect" if "object_id" in page.route else page.key
    admin = site._registry[apps.get_model(page.model)]
    own = {"changelist": admin.change_list_template, "change": admin.change_form_template}
    return f"{kind[1]} {own.get(kind[1])}"


def one_of_each(found: list[Page]) -> list[Page]:
    """Return the first page of each template."""
    return list({template_of(page): page for page in reversed(found)}.values())


def look_at(browser: Browser) -> list[str]:
    """Return what is wrong with the page that is shown, in both widths and both colour schemes."""
    browser.script(AT_REST)
    wrong = []
    for scheme in ("light", "dark"):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        browser.script(DARKEN, scheme)
        # (Darkness changes colours, and nothing else.)
        rules = ("color-contrast", "link-in-text-block") if scheme == "dark" else ()
        for name in WIDTHS if scheme == "light" else ("phone",):
            size, phone = WIDTHS[name]
            browser.resize(*size, phone=phone)
            wrong += [f"{name}, {scheme}: {fault}" for fault in faults(browser, *rules)]
            width = browser.script("return document.documentElement.scrollWidth")
            wrong += [f"{name}: {width} pixels wide"] if width > size[0] else []
    browser.resize(*DESKTOP)
    return wrong


@pytest.mark.parametrize(
    "choose, least",
    [pytest.param(one_of_each, 15, id="templates"), pytest.param(list, 61, id="all", marks=pytest.mark.soak)],
)
def test_no_page_of_the_desk_has_a_serious_fault(
    browser: Browser, ids: dict[str, Any], choose: Callable[[list[Page]], list[Page]], least: int
) -> None:
    wrong, looked_at = {}, 0
    for page in choose(shown_to_owners()):
        before = browser.driver.current_url
        browser.open(page.path(ids))
        if browser.driver.current_url == before or browser.script("return document.contentType") != "text/html":
            browser.problems()
            continue  # a file to download, or a script
        looked_at += 1
        if found := look_at(browser) + browser.problems():
            wrong[page.key] = found
    assert wrong == {}, json.dumps(wrong, indent=1)
    assert looked_at >= least


@pytest.mark.parametrize("path", ["/admin/login/", "/admin/nowhere/", "/admin/usage/usagerecord/add/"])
def test_neither_has_a_page_that_keeps_one_out(browser: Browser, path: str) -> None:
    cookies = browser.driver.get_cookies()
    if path == "/admin/login/":
        browser.sign_out()
    browser.open(path)
    assert look_at(browser) == []
    for cookie in cookies:
        browser.driver.add_cookie(cookie)


OPENED = {
    "menu of the person": '#nav-sidebar [x-on\\:click*="openUserLinks"]',
    "filters": '[x-on\\:click="filterOpen = true"]',
    "actions": "input.action-select",
}


@pytest.mark.parametrize("what", OPENED)
def test_neither_has_what_is_opened_on_a_page(browser: Browser, what: str) -> None:
    browser.open(PEOPLE)
    browser.click(OPENED[what])
    assert look_at(browser) == []


def has_focus_in(browser: Browser, selector: str) -> bool:
    return bool(browser.script("return document.querySelector(arguments[0]).matches(':focus-within')", selector))


def test_the_menu_is_opened_and_left_and_the_theme_chosen_by_keyboard(browser: Browser) -> None:
    browser.open(PEOPLE)
    opener, menu = OPENED["menu of the person"], '#nav-sidebar nav[x-show="openUserLinks"]'
    browser.press_tab_until(opener)
    browser.type_key(Keys.ENTER)
    browser.wait(lambda: has_focus_in(browser, menu), "the focus is in the menu")
    for theme, shown in (("dark", "html.dark"), ("light", "html:not(.dark)")):
        browser.press_tab_until(f"{menu} [x-on\\:click*=\"'{theme}'\"]")
        browser.type_key(Keys.ENTER)
        browser.find(shown)
    browser.type_key(Keys.ESCAPE)
    browser.wait(lambda: not browser.script("return document.querySelector(arguments[0]).offsetParent", menu), "closed")
    assert browser.script("return document.activeElement.matches(arguments[0])", opener)


def test_a_list_is_filtered_by_keyboard(browser: Browser) -> None:
    browser.open(PEOPLE)
    browser.press_tab_until(OPENED["filters"])
    browser.type_key(Keys.ENTER)
    browser.wait(lambda: has_focus_in(browser, "#changelist-filter"), "the focus is in the filters")
    browser.press_tab_until('#changelist-filter a[href*="role"][href*="=admin"]')
    browser.leave(lambda: browser.type_key(Keys.ENTER))
    assert "=admin" in browser.driver.current_url


def test_an_action_is_run_by_keyboard(browser: Browser, system: System, ids: dict[str, Any]) -> None:
    browser.open(PEOPLE)
    browser.press_tab_until(f'input.action-select[value="{ids["users.user"]}"]')
    browser.type_key(Keys.SPACE)
    browser.press_tab_until("select[name=action]")
    chosen = browser.script("return document.querySelector('select[name=action]').value")
    while chosen != "block":
        browser.type_key(Keys.ARROW_DOWN)
        before, chosen = chosen, browser.script("return document.querySelector('select[name=action]').value")
        assert chosen != before, "no such action"
    browser.press_tab_until("#changelist-actions button[type=submit]")
    browser.leave(lambda: browser.type_key(Keys.ENTER))
    if browser.all("input[name=confirmed]"):
        browser.press_tab_until("form:has(input[name=confirmed]) button[type=submit]")
        browser.leave(lambda: browser.type_key(Keys.ENTER))
    blocked = f"SELECT id FROM users_user WHERE id = {ids['users.user']} AND NOT is_whitelisted"  # noqa: S608
    browser.wait(lambda: system.rows(blocked), "the person is blocked")


def test_on_a_phone_the_sidebar_is_opened_by_keyboard(browser: Browser) -> None:
    browser.resize(*PHONE, phone=True)
    browser.open(PEOPLE)
    browser.press_tab_until('button[x-on\\:click*="sidebarMobileOpen"]')
    browser.type_key(Keys.ENTER)
    browser.wait(lambda: has_focus_in(browser, "#nav-sidebar"), "the focus is in the sidebar")
    browser.press_tab_until('#nav-sidebar a[href="/admin/bot/bot/"]')
    browser.leave(lambda: browser.type_key(Keys.ENTER))
    assert browser.path() == "/admin/bot/bot/"
