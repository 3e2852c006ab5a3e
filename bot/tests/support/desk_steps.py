"""What operators do on the desk, by the names of fields and actions: however its pages are laid out."""

from collections.abc import Callable
from typing import Any

from bot.tests.support.browser import Browser

CONTENT = "#content"
# (Those of the admin's forms stand below the content.)
SUBMITS = ("[name=_continue]", "[name=_save]", f"{CONTENT} button[type=submit]:not([formaction])")


def run_action(browser: Browser, path: str, row: int, action: str) -> None:
    """Choose a row of a list and an action, run it, and confirm it where a page asks."""
    browser.open(path)
    browser.click(f'input.action-select[value="{row}"]')
    browser.choose("select[name=action]", action)
    browser.leave(lambda: browser.click("#changelist-actions button[type=submit]"))
    if browser.all("input[name=confirmed]"):
        browser.leave(lambda: browser.click("form:has(input[name=confirmed]) button[type=submit]"))


def fill_in(browser: Browser, fields: dict[str, str], saved: Callable[[], bool]) -> None:
    """Fill in fields by their names and submit, on as many pages in a row as ask for some of them."""
    left = dict(fields)
    while left:
        here = [name for name in left if offered(browser, name, left[name])]
        assert here, f"{browser.driver.current_url} asks for none of {list(left)}:\n{browser.text()}"
        links = [set_field(browser, name, left.pop(name)) for name in here]
        if not any(links):
            browser.leave(lambda: submit(browser))
    browser.wait(saved, "what was filled in is stored")


def offered(browser: Browser, name: str, value: str) -> bool:
    """Return whether a page asks for a field: by an input that can be written to, or by links to choose from."""
    inputs = [one for one in browser.all(f'{CONTENT} [name="{name}"]') if one.get_attribute("type") != "hidden"]
    return any(one.is_enabled() for one in inputs) or bool(browser.all(choice(name, value)))


def choice(name: str, value: str) -> str:
    return f'{CONTENT} a[href*="{name}={value}"]'


def set_field(browser: Browser, name: str, value: str) -> bool:
    """Write or choose a field's value, and return whether that was a link, which led to the next page."""
    inputs = browser.all(f'{CONTENT} [name="{name}"]')
    if not inputs:
        browser.leave(lambda: browser.click(choice(name, value)))
        return True
    kind = inputs[0].get_attribute("type")
    if inputs[0].tag_name == "select":
        browser.choose(f'{CONTENT} select[name="{name}"]', value)
    elif kind == "radio":
        browser.click(f'{CONTENT} [name="{name}"][value="{value}"]')
    elif kind == "checkbox":
        if inputs[0].is_selected() != bool(value):
            browser.click(f'{CONTENT} [name="{name}"]')
    else:
        browser.type(f'{CONTENT} [name="{name}"]', value)
    return False


def submit(browser: Browser) -> None:
    """Press the button that saves and stays, or saves, or sends the form."""
    shown = (one for one in SUBMITS if any(button.is_displayed() for button in browser.all(one)))
    browser.click(next(shown, SUBMITS[-1]))


def only(rows: list[tuple[Any, ...]]) -> Any:
    """Return the one value of the one row of a statement's answer, or None while there is none."""
    return rows[0][0] if len(rows) == 1 else None
