"""Names are cleaned, and what is made harmless for a spreadsheet is read as it was."""

from hypothesis import given, settings
from hypothesis import strategies as st

from users.whitelist.rows import as_text, check_name, clean_name, from_text

# The same examples in every run.
BOUNDED = settings(derandomize=True, deadline=None, database=None, max_examples=200)


def test_names_lose_control_characters_and_keep_what_joins_letters():
    family = "👨\u200d👩\u200d👧 نمی\u200cدانم"
    assert clean_name(f"\x07 {family}\x1b[0m\u2028\x00Ray ") == f"{family}[0m Ray"


@BOUNDED
@given(st.text())
def test_what_is_made_harmless_for_a_spreadsheet_is_read_as_it_was(name):
    shown = as_text(name)
    assert not shown.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert from_text(shown) == name


@BOUNDED
@given(st.text(max_size=250))
def test_a_cleaned_name_stays_as_it_is(name):
    cleaned = clean_name(name)
    assert clean_name(cleaned) == cleaned
    if len(cleaned) <= 200:
        assert check_name(name) == cleaned
