"""The simulator and the bots' pages in a browser: real processes, a real Chromium, everything also by keyboard."""

from collections.abc import Iterator
from typing import Any

import pytest
from selenium.webdriver.common.keys import Keys

from bot.tests.support.browser import Browser, needs_browser, open_browser
from bot.tests.support.factories import ALICE
from bot.tests.support.processes import System, running_system

pytestmark = [pytest.mark.processes, needs_browser]

OWNER, PASSWORD = "+4915155555555", "open sesame, please"
SEED = f"""
from bot.models import Bot
from usage.models import ModelPrice
from users.models import User
User.objects.create_superuser({OWNER!r}, {PASSWORD!r}, name="Olga Owner", is_whitelisted=True)
ModelPrice.objects.create(
    model="gpt-6-luna", input_micros_per_million=1_000_000, output_micros_per_million=2_000_000, valid_from="2026-01-01"
)
User.objects.filter(phone_number={ALICE!r}).update(name="Alice")
for slug in ("quick", "commands", "strangers", "kitchen"):
    Bot.objects.create(slug=slug, name=slug.title(), channel="console", system_prompt="Be kind.")
"""


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A running Parley with an owner, and a console bot for each test."""
    with running_system(tmp_path_factory.mktemp("simulator")) as system:
        system.manage("shell", "--verbosity", "0", "--command", SEED)
        system.start_web()
        system.start_pages()
        system.start_worker()
        yield system


@pytest.fixture(scope="module")
def signed_in(system: System, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with open_browser(f"http://127.0.0.1:{system.port}", tmp_path_factory.mktemp("profile")) as browser:
        browser.sign_in(OWNER, PASSWORD)
        yield browser


@pytest.fixture
def browser(signed_in: Browser) -> Iterator[Browser]:
    """The owner's browser; whatever a test does, no script fails and no policy is broken."""
    yield signed_in
    assert signed_in.problems() == []


def bubbles(browser: Browser, whose: str) -> list[str]:
    return [bubble.text for bubble in browser.all(f"#messages .{whose} .text")]


def choose_person(browser: Browser, asked: str, label: str) -> None:
    """Search for somebody and take the first that is found, by keyboard."""
    browser.find("#find").send_keys(asked)
    browser.wait(lambda: [one.text for one in browser.all("#found [role=option]")][:1] == [label], label)
    browser.find("#find").send_keys(Keys.ENTER)


def say(browser: Browser, text: str) -> None:
    browser.find("#text").send_keys(text + Keys.ENTER)


def test_quick_messages_get_an_answer_with_its_cost_and_story(system: System, browser: Browser) -> None:
    browser.open("/?bot=quick")
    browser.sees("This chat has cost $0.00")
    system.model.script([{"delay": 2}])
    browser.press("Three quick messages at once")
    browser.find("#typing")
    assert bubbles(browser, "mine") == ["Hi", "I have a question", "Are you there?"]
    browser.wait(lambda: "Are you there?" in "".join(bubbles(browser, "reply")), "all three are answered")
    browser.wait(lambda: not browser.all("#typing")[0].is_displayed(), "nobody types")
    cost: Any = browser.wait(lambda: [one.text for one in browser.all("#messages .cost") if one.text], "the cost")
    assert "gpt-6-luna-2026-01-01" in cost[0] and "$0.00" in cost[0]
    browser.wait(lambda: browser.find("#cost").text not in ("", "This chat has cost $0.00"), "the sum")

    ask = browser.find(".ask")
    ask.send_keys(Keys.ENTER)
    story = browser.find(".story")
    browser.wait(lambda: "Model" in story.text and "after the message was received" in story.text, "the steps")
    assert ask.get_attribute("aria-expanded") == "true"
    ask.send_keys(Keys.ENTER)
    browser.wait(lambda: not story.is_displayed(), "the story is closed")

    browser.press("Start over")
    browser.wait(lambda: bubbles(browser, "reply") == ["Done. I have forgotten our conversation."], "a fresh start")
    assert bubbles(browser, "mine") == []


def test_commands_are_suggested_and_taken_by_keyboard(browser: Browser) -> None:
    browser.open("/?bot=commands")
    browser.sees("Start over")
    text = browser.find("#text")
    text.send_keys("/")
    browser.sees("forget our conversation and start anew")
    assert len(browser.all("#commands [role=option]")) > 8
    text.send_keys(Keys.ESCAPE)
    browser.wait(lambda: not browser.all("#commands [role=option]"), "the list is closed")
    text.send_keys("u")
    browser.wait(
        lambda: [one.text.split()[0] for one in browser.all("#commands [role=option]")] == ["/usage", "/users"], "two"
    )
    text.send_keys(Keys.ARROW_DOWN, Keys.ARROW_UP)
    assert text.get_attribute("aria-activedescendant") == "commands-0"
    text.send_keys(Keys.ENTER)
    assert text.get_property("value") == "/usage"
    assert bubbles(browser, "mine") == [], "taking one does not send it"
    text.send_keys(Keys.ENTER)
    browser.wait(lambda: "".join(bubbles(browser, "reply")).startswith("Today"), "the answer")
    assert bubbles(browser, "mine") == ["/usage"]


def test_an_unknown_person_and_one_over_budget_are_told_so(system: System, browser: Browser) -> None:
    browser.open("/?bot=strangers")
    browser.sees("Start over")
    choose_person(browser, "unknown", "An unknown person")
    browser.sees("Not on the whitelist")
    say(browser, "Hello")
    browser.wait(
        lambda: [text.startswith("Hello! I only answer") for text in bubbles(browser, "reply")] == [True], "a line"
    )
    say(browser, "Hello?")
    browser.sees("Handled without a reply.")
    assert len(bubbles(browser, "reply")) == 1

    asked = len(system.model.requests())
    choose_person(browser, "budget", "Somebody over budget")
    browser.wait(lambda: not bubbles(browser, "reply"), "another chat")
    say(browser, "Hello")
    browser.sees("You've reached today's limit. Please try again tomorrow.")
    browser.sees("Left today: $0.00 of $0.00")
    assert len(system.model.requests()) == asked

    choose_person(browser, "0151 1234 5678", f"Alice {ALICE}")
    browser.wait(lambda: not bubbles(browser, "reply"), "another chat")
    assert "person=%2B4915112345678" in browser.driver.current_url


def test_a_prompt_that_is_not_saved_is_tried_and_then_used(system: System, browser: Browser) -> None:
    ((pk,),) = system.rows("SELECT id FROM bot_bot WHERE slug = 'kitchen'")
    page = f"/admin/bot/bot/{pk}/change/"
    browser.open(page)
    browser.type("#id_system_prompt", "Answer like a pirate.")
    browser.press("Try this prompt")
    browser.wait(lambda: len(browser.driver.window_handles) == 2, "a new tab")
    editor, simulator = browser.driver.window_handles
    browser.driver.switch_to.window(simulator)
    browser.sees("A preview of Kitchen")
    say(browser, "Hello")
    browser.sees("Echo: Hello")
    told = system.model.requests()[-1]["body"]["messages"]
    assert told[0]["content"].startswith("Answer like a pirate.")
    assert system.rows("SELECT system_prompt FROM bot_bot WHERE slug = 'kitchen'") == [("Be kind.",)]

    browser.press("Use this prompt")
    browser.sees("people are answered with this prompt from now on")
    assert system.rows("SELECT system_prompt FROM bot_bot WHERE slug = 'kitchen'") == [("Answer like a pirate.",)]
    browser.driver.close()
    browser.driver.switch_to.window(editor)


def test_a_bot_is_added_channel_first_and_its_token_copied(browser: Browser) -> None:
    browser.open("/admin/bot/bot/add/")
    browser.click("a.desk-choice[href*=whatsapp]")
    browser.type("#id_name", "Bike shop")
    browser.wait(lambda: browser.find("#id_slug").get_property("value") == "bike-shop", "the slug")
    token = str(browser.find("#id_credential_verify_token").get_property("value"))
    browser.press("Save")
    browser.sees("/webhooks/whatsapp/bike-shop/")
    browser.sees(token)
    browser.click(f"button[data-copy='{token}']")
    browser.sees("Copied")
