"""axe-core, the accessibility checker, run on the page that a browser shows. (`make axe` installs it.)"""

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bot.tests.support.browser import Browser

FILE = Path(__file__).resolve().parents[3] / ".axe/node_modules/axe-core/axe.min.js"
needs_axe = pytest.mark.skipif(not FILE.exists(), reason="axe-core is not installed (make axe; it needs npm).")

STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SERIOUS = {"serious", "critical"}
# Less than serious, but promised all the same.
PROMISED = {"heading-order", "landmark-one-main", "page-has-heading-one"}

# The first rows of a table stand for the others: fifty of them take seconds.
ALIKE = "tbody tr:nth-child(n+9), tbody:nth-of-type(n+9)"
RUN = """
const [context, options, done] = arguments;
const why = (node) => (node.any[0] ?? node.all[0] ?? node.none[0])?.message;
axe.run(context, options).then((result) => done(result.violations.map((found) => ({
  rule: found.id, impact: found.impact,
  places: found.nodes.map((node) => `${node.target.join(" ")}: ${why(node)}`),
}))), (error) => done(String(error)));
"""


@cache
def source() -> str:
    return FILE.read_text(encoding="utf-8")


def faults(browser: Browser, *rules: str) -> list[str]:
    """Return what is seriously wrong with the page that is shown, by these rules or by all."""
    if not browser.script("return 'axe' in window"):
        browser.script(source())
    only = {"type": "rule", "values": list(rules)} if rules else {"type": "tag", "values": STANDARDS}
    options = {"runOnly": only, "resultTypes": ["violations"]}
    found: Any = browser.driver.execute_async_script(RUN, {"exclude": [ALIKE]}, options)
    assert isinstance(found, list), found
    wrong = [one for one in found if one["impact"] in SERIOUS or one["rule"] in PROMISED]
    return [f"{one['rule']} ({one['impact']}): {place}" for one in wrong for place in one["places"]]
