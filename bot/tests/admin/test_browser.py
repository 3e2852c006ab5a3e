"""What an operator does in a browser, from signing in to a resolved message: real processes, a real Chromium."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from selenium.webdriver.common.keys import Keys

from bot.tests.support.browser import Browser, needs_browser, open_browser
from bot.tests.support.desk_steps import CONTENT, fill_in, only, run_action
from bot.tests.support.factories import ALICE, signature, whatsapp_body, whatsapp_message, whatsapp_value
from bot.tests.support.processes import System, running_system, wait_for

pytestmark = [pytest.mark.processes, needs_browser]

OWNER, PASSWORD = "+4915155555555", "open sesame, please"
DORA, EMIL, FRIDA, GRETA = "+12025550131", "+12025550132", "+12025550133", "+12025550134"
PREPARE = f"""
from bot.models import Bot
from users.models import User
User.objects.create_superuser({OWNER!r}, {PASSWORD!r})
Bot.objects.create(slug="desk", name="Desk", channel="console")
"""
INBOX, OUTBOX = "/admin/bot/inboundmessage/", "/admin/bot/outboundmessage/"
REFUSED = {"status": 400, "json": {"error": {"code": 131026, "message": "(#131026) Message undeliverable"}}}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A running Parley with an owner who may sign in, and a bot for the simulator."""
    with running_system(tmp_path_factory.mktemp("desk")) as system:
        system.manage("shell", "--verbosity", "0", "--command", PREPARE)
        system.start_web(PUBLIC_URL=f"http://127.0.0.1:{system.port}")
        system.start_pages(PUBLIC_URL=f"http://127.0.0.1:{system.port}")
        system.start_worker()
        yield system


@pytest.fixture(scope="module")
def window(system: System, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all tests: starting one takes a second."""
    with open_browser(f"http://127.0.0.1:{system.port}", tmp_path_factory.mktemp("profile")) as browser:
        browser.sign_in(OWNER, PASSWORD)
        yield browser


@pytest.fixture
def browser(window: Browser, tmp_path: Path) -> Iterator[Browser]:
    """A browser in which the owner is signed in, and which has nothing to complain about in the end."""
    window.problems()
    yield window
    assert window.problems() == []


def deliver(system: System, text: str, sender: str = ALICE) -> None:
    """Let somebody write to the shop on WhatsApp."""
    sent = whatsapp_message(text, sender, id=f"wamid.{text}")
    assert system.post(whatsapp_body(whatsapp_value(messages=[sent]))) == 200


def sends(system: System, text: str) -> list[dict[str, Any]]:
    """Return the requests to send this."""
    return [request for request in system.sends_received() if request["body"]["text"]["body"] == text]


def wait_for_row(system: System, statement: str) -> Any:
    """Return the one value that a statement finds, as soon as it does."""
    wait_for(lambda: only(system.rows(statement)) is not None, statement)
    return only(system.rows(statement))


def status_of(system: System, row: int) -> str:
    return str(only(system.rows(f"SELECT status FROM bot_outboundmessage WHERE id = {row}")))  # noqa: S608


def test_the_owner_signs_in_with_number_and_password_and_with_nothing_else(browser: Browser) -> None:
    browser.sign_out()
    browser.open("/admin/users/user/")
    assert browser.path() == "/admin/login/"
    browser.type("[name=username]", OWNER)
    browser.leave(lambda: browser.type("[name=password]", "wrong" + Keys.ENTER))
    assert browser.path() == "/admin/login/"
    browser.sign_in("+49 1515 5555555", PASSWORD, "/admin/users/user/")
    assert browser.path() == "/admin/users/user/"


@pytest.mark.smoke
def test_who_is_whitelisted_in_the_admin_is_answered_in_the_simulator(browser: Browser, system: System) -> None:
    browser.open("/admin/users/user/add/")
    allowed = f"SELECT id FROM users_user WHERE phone_number = '{DORA}' AND is_whitelisted"  # noqa: S608
    person = {"phone_number": "+1 202 555 0131", "name": "Dora", "is_whitelisted": "yes"}
    fill_in(browser, person, lambda: only(system.rows(allowed)) is not None)

    browser.open(f"/?bot=desk&person={quote(DORA)}")
    browser.type("#text", "Do you hear me?" + Keys.ENTER)
    browser.wait(lambda: "Echo: Do you hear me?" in browser.find(".reply").text, "the answer")


def import_csv(browser: Browser, file: Path, *lines: str) -> None:
    """Upload a list of people, and look at what it would do."""
    file.write_text("\n".join(("phone_number,name,whitelisted,daily_budget_usd", *lines)), encoding="utf-8")
    browser.open("/admin/users/user/import/")
    browser.upload(f"{CONTENT} [name=file]", file)
    browser.leave(lambda: browser.click(f"{CONTENT} form[enctype] button[type=submit]"))


def test_an_import_names_wrong_lines_and_changes_nothing_and_a_good_one_is_applied_after_a_preview(
    browser: Browser, system: System, tmp_path: Path
) -> None:
    people = "SELECT COUNT(*) FROM users_user"
    before = only(system.rows(people))
    import_csv(browser, tmp_path / "bad.csv", f"{EMIL},Emil,yes,1.50", "not a number,Frida,yes,", f"{GRETA},,maybe,")
    browser.sees("2 lines are wrong; nothing was changed.")
    wrong = [line.text for line in browser.all(f"{CONTENT} section:has([role=alert]) :is(li, tbody tr)")]
    assert [re.findall(r"\d+", line)[0] for line in wrong] == ["3", "4"]
    assert not browser.all("form[action*=apply]") and only(system.rows(people)) == before

    import_csv(browser, tmp_path / "good.csv", f"{EMIL},Emil,yes,1.50", f"{FRIDA},Frida,yes,", f"{GRETA},Greta,no,")
    browser.sees("Emil")
    assert only(system.rows(people)) == before
    browser.leave(lambda: browser.click("form[action*=apply] button[type=submit]"))
    assert only(system.rows(people)) == before + 3
    browser.open("/admin/users/user/?q=Emil")
    browser.sees("Emil")
    budget = f"SELECT daily_budget_micros FROM users_user WHERE phone_number = '{EMIL}'"  # noqa: S608
    assert only(system.rows(budget)) == 1_500_000


def test_a_whatsapp_bot_made_on_the_desk_answers_a_signed_message_to_the_url_it_shows(
    browser: Browser, system: System
) -> None:
    account, secret = "555000111", "the-secret-of-this-app"
    fields = {
        "channel": "whatsapp", "name": "Support", "account_id": account, "credential_access_token": "EAAdesk",
        "credential_app_secret": secret, "credential_verify_token": "verify-me",
    }  # fmt: skip
    browser.open("/admin/bot/bot/add/")
    stored = f"SELECT id FROM bot_bot WHERE account_id = '{account}'"  # noqa: S608
    fill_in(browser, fields, lambda: only(system.rows(stored)) is not None)

    browser.open(f"/admin/bot/bot/{only(system.rows(stored))}/change/")
    shown = browser.find("code")
    url = urlsplit(shown.text)
    assert (url.scheme, url.port, url.path) == ("http", system.port, "/webhooks/whatsapp/support/")
    assert "EAAdesk" not in browser.driver.page_source and secret not in browser.driver.page_source
    body = whatsapp_body(whatsapp_value(account=account, messages=[whatsapp_message("A new bot?", id="wamid.new")]))
    assert system.post(body, signature(body, "another secret"), path=url.path) == 403
    assert system.post(body, signature(body, secret), path=url.path) == 200
    wait_for(lambda: bool(sends(system, "Echo: A new bot?")), "the answer reaches the Cloud API")
    (sent,) = sends(system, "Echo: A new bot?")
    assert account in sent["path"] and sent["body"]["to"] == ALICE[1:]


def test_a_dead_letter_is_replayed_and_answered(browser: Browser, system: System) -> None:
    system.whatsapp.script([{"for": "Echo: goes dead", **REFUSED}])
    deliver(system, "goes dead")
    dead = wait_for_row(system, "SELECT id FROM bot_inboundmessage WHERE state = 'dead'")
    assert len(sends(system, "Echo: goes dead")) == 1

    run_action(browser, INBOX, dead, "replay")

    wait_for(lambda: len(sends(system, "Echo: goes dead")) == 2, "it is sent again")
    assert sends(system, "Echo: goes dead")[1]["status"] == 200
    wait_for_row(system, f"SELECT id FROM bot_inboundmessage WHERE id = {dead} AND state = 'done'")  # noqa: S608


@pytest.mark.parametrize("action, sent", [("mark_sent", 1), ("send_again", 2)])
def test_an_uncertain_message_is_resolved(browser: Browser, system: System, action: str, sent: int) -> None:
    text = f"Echo: uncertain, {action}"
    system.whatsapp.script([{"for": text, "reset": True}])
    deliver(system, text.removeprefix("Echo: "))
    uncertain = wait_for_row(system, "SELECT id FROM bot_outboundmessage WHERE status = 'uncertain'")

    run_action(browser, OUTBOX, uncertain, action)

    wait_for(lambda: status_of(system, uncertain) == "sent", "it counts as sent")
    assert len(sends(system, text)) == sent


def test_the_language_is_chosen_in_the_menu_and_remembered(browser: Browser) -> None:
    browser.open("/admin/users/user/")
    browser.sees("People")
    choose_language(browser, "de")
    browser.sees("Personen")
    browser.open("/admin/users/user/add/")  # another page, in the same language
    assert browser.script("return document.documentElement.lang") == "de"
    choose_language(browser, "es")
    assert browser.script("return document.documentElement.lang") == "es"
    choose_language(browser, "en")
    browser.sees("People")


def choose_language(browser: Browser, code: str) -> None:
    browser.click('#nav-sidebar [x-on\\:click*="openUserLinks"]')
    browser.leave(lambda: browser.click(f"form:has(input[name=language][value={code}]) button[type=submit]"))
