"""docs/privacy.md says what the table of what is kept says."""

import pytest

from bot.operations import privacy_tables as privacy
from bot.privacy.retention.entry import Entry
from bot.privacy.retention.periods import MESSAGE_ROW_DAYS
from bot.privacy.retention.table import TABLE

pytestmark = pytest.mark.database

MANUAL = privacy.DOCUMENT.read_text()


def test_the_manual_is_what_the_table_says():
    assert privacy.privacy(MANUAL) == MANUAL, "run `manage.py write_docs`"


def test_the_manual_has_a_row_for_each_table_with_its_personal_fields():
    rows = [line.split(" | ") for line in MANUAL.splitlines() if line.startswith("| `")]
    found = {cells[0].strip("|` "): cells for cells in rows}
    for entry in TABLE:
        cells = found[entry.model._meta.label]
        assert cells[2] == (", ".join(f"`{name}`" for name in entry.personal) or "none")
        assert len(cells) == 5
    assert "| the row: 365 days (`USAGE_RETENTION_DAYS`) after its day |" in MANUAL
    assert f": {MESSAGE_ROW_DAYS} days after it was received" in MANUAL


def test_the_settings_are_shown_as_everybody_has_them_and_not_as_this_installation(settings):
    settings.USAGE_RETENTION_DAYS = settings.CONVERSATION_TTL_DAYS = 1_234
    assert privacy.privacy(MANUAL) == MANUAL


def test_a_stale_part_is_written_anew_and_the_rest_is_left_alone():
    stale = MANUAL.replace("8 days", "9 days").replace("# Privacy", "# Own words")
    assert stale != MANUAL
    assert privacy.privacy(stale) == MANUAL.replace("# Privacy", "# Own words")


def test_a_row_says_nothing_personal_of_what_holds_nothing():
    (entry,) = (entry for entry in TABLE if entry.model._meta.label == "bot.Counter")
    assert isinstance(entry, Entry)
    assert " | none | until deleted | holds nothing of a person |" in privacy.row(entry)
