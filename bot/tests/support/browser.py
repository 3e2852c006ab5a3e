"""A headless Chromium for tests of pages: what people click and read, with the waiting that takes."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from selenium import webdriver
from selenium.common.exceptions import (
    ElementClickInterceptedException,
    ElementNotInteractableException,
    NoSuchElementException,
    StaleElementReferenceException,
    WebDriverException,
)
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

PATIENCE = 20.0
# What is asked of a page that is just changing, or that something is moving over.
CHANGING = (
    *(StaleElementReferenceException, NoSuchElementException),
    *(ElementClickInterceptedException, ElementNotInteractableException),
)
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars"),
    "--lang=en-US",
)
DESKTOP, PHONE = (1280, 900), (390, 844)


def installed(*names: str) -> str | None:
    """Return the path of the first of these programs that is installed."""
    return next((path for name in names if (path := shutil.which(name))), None)


CHROMIUM = installed("chromium", "chromium-browser", "google-chrome")
CHROMEDRIVER = installed("chromedriver")
needs_browser = pytest.mark.skipif(
    not (CHROMIUM and CHROMEDRIVER), reason="Chromium and its driver are not installed (Debian: chromium-driver)."
)


class Browser:
    """One window on one server. Every look waits until there is something to see."""

    def __init__(self, driver: Any, base: str) -> None:
        self.driver, self.base = driver, base
        self.resize(*DESKTOP)

    def open(self, path: str) -> None:
        """Open a page of the server."""
        self.driver.get(self.base + path)

    def resize(self, width: int, height: int, *, phone: bool = False) -> None:
        """Show pages as wide as this, and as on a phone if so."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def sign_in(self, number: str, password: str, page: str = "/admin/") -> None:
        """Sign in as a member of staff, on the way to a page."""
        self.open(page)
        self.type("[name=username]", number)
        self.type("[name=password]", password + Keys.ENTER)
        self.wait(lambda: "/login/" not in self.driver.current_url, "signed in")

    def sign_out(self) -> None:
        """Forget who is signed in, and everything else that is in cookies."""
        self.driver.delete_all_cookies()

    def path(self) -> str:
        """Return the path of the page that is shown."""
        return urlsplit(self.driver.current_url).path

    def find(self, selector: str) -> WebElement:
        """Return the first element of a CSS selector that is shown."""
        return self.wait(lambda: next((one for one in self.all(selector) if one.is_displayed()), None), selector)

    def all(self, selector: str) -> list[WebElement]:
        """Return the elements of a CSS selector that are there now."""
        found: list[WebElement] = self.driver.find_elements(By.CSS_SELECTOR, selector)
        return found

    def click(self, selector: str) -> None:
        """Click the first element of a CSS selector that is shown."""
        self._click(lambda: self.find(selector))

    def press(self, text: str) -> None:
        """Click the first button or link with this text that is shown."""
        path = f"//*[self::button or self::a][normalize-space()={text!r}]"

        def shown() -> WebElement | None:
            found = self.driver.find_elements(By.XPATH, path)
            return next((one for one in found if one.is_displayed()), None)

        self._click(lambda: self.wait(shown, f"a button {text!r}"))

    def type(self, selector: str, text: str) -> None:
        """Write into a field, instead of what stands there."""
        field = self.find(selector)
        field.clear()
        field.send_keys(text)

    def upload(self, selector: str, path: Path) -> None:
        """Choose a file."""
        self.driver.find_element(By.CSS_SELECTOR, selector).send_keys(str(path))

    def choose(self, selector: str, value: str) -> None:
        """Choose an option of a select by its value."""
        self._click(lambda: self.find(f'{selector} option[value="{value}"]'))

    def leave(self, act: Callable[[], None]) -> None:
        """Do what leads to another page, and wait until that is there."""
        page = self.driver.find_element(By.TAG_NAME, "html")
        act()
        self.wait(
            lambda: self._is_gone(page) and self.script("return document.readyState === 'complete'"), "a new page"
        )

    def press_tab_until(self, selector: str, most: int = 200) -> None:
        """Press Tab until this has the focus, as who has no mouse does."""
        for _ in range(most):
            ActionChains(self.driver).send_keys(Keys.TAB).perform()
            if self.script("return document.activeElement.matches(arguments[0])", selector):
                return
        raise AssertionError(f"Not reached by {most} tabs: {selector}")

    def type_key(self, key: str) -> None:
        """Press a key where the focus is."""
        ActionChains(self.driver).send_keys(key).perform()

    def script(self, text: str, *arguments: Any) -> Any:
        """Run a script in the page and return what it returns."""
        return self.driver.execute_script(text, *arguments)

    def text(self) -> str:
        """Return what the page says now."""
        return str(self.driver.find_element(By.TAG_NAME, "body").text)

    def sees(self, text: str) -> None:
        """Wait until the page says this."""
        self.wait(lambda: text in self.text(), f"the page says {text!r}")

    def wait(self, look: Callable[[], Any], what: str) -> Any:
        """Look until something is there, and return it."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                found = look()
            except CHANGING:
                found = None
            if found:
                return found
            assert time.monotonic() < until, f"Not seen: {what}. {self.driver.current_url} says:\n{self.text()}"
            time.sleep(0.05)

    def problems(self) -> list[str]:
        """Return what the browser has complained about since it was asked last: scripts, policies, missing files."""
        # What names no icon (JSON, say) has the browser ask for one by itself, perhaps while the next page is open.
        said = [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]
        return [message for message in said if "/favicon.ico " not in message]

    def keep(self, file: Path) -> str:
        """Save a picture of what is shown, and return where it is and what it is of."""
        try:
            self.driver.save_screenshot(str(file))
            return f"{self.driver.current_url} looked like {file}"
        except WebDriverException as error:
            return f"There is no picture: {error.msg}"

    @staticmethod
    def _is_gone(element: WebElement) -> bool:
        try:
            element.is_enabled()
        except (StaleElementReferenceException, NoSuchElementException):
            return True
        return False

    def _click(self, find: Callable[[], WebElement]) -> None:
        def click() -> bool:
            element = find()
            self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
            element.click()
            return True

        self.wait(click, "something to click")


@contextmanager
def open_browser(base: str, profile: Path) -> Iterator[Browser]:
    """Yield a browser with a profile of its own, on a server such as http://127.0.0.1:3000."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(CHROMEDRIVER)))
    try:
        yield Browser(driver, base)
    finally:
        driver.quit()
