"""How long something is kept is said in words that come from what is in force."""

import re
from datetime import timedelta

import pytest

from bot.privacy.retention.entry import Entry, Period, spelled
from bot.privacy.retention.table import TABLE
from config.environment.variables import VARIABLES

pytestmark = [pytest.mark.database]

DEFAULTS = {variable.name: variable.default for variable in VARIABLES}


@pytest.mark.parametrize("entry", TABLE, ids=lambda entry: entry.model.__name__)
def test_every_entry_says_how_long_in_words_that_come_from_what_is_in_force(entry: Entry) -> None:
    assert entry.holds and entry.why and entry.rights and entry.kept(DEFAULTS)
    by_hand = [entry.holds, entry.why, entry.stays, entry.rights, *(step.since + step.takes for step in entry.steps)]
    assert not re.search(r"\d", " ".join(by_hand)), "a number is a Period's"


def test_periods_are_said_in_days_or_hours_and_a_setting_by_its_name() -> None:
    assert [spelled(timedelta(days=number)) for number in (1, 8)] == ["1 day", "8 days"]
    assert [spelled(timedelta(hours=number)) for number in (1, 36)] == ["1 hour", "36 hours"]
    assert Period(setting="USAGE_RETENTION_DAYS").words(DEFAULTS) == "365 days (`USAGE_RETENTION_DAYS`)"
