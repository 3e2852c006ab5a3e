"""Lists, quotes, tables and code of Markdown are read."""

import pytest

from bot.tests.channels.rendering.written import rendered


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("* a\n* **b**\n+ c", "- a\n- *b*\n- c"),
        ("Here:\n* a\n  more\n* b", "Here:\n- a\n  more\n- b"),
        ("* a\n    * b\n        * c\n* d", "- a\n  - b\n    - c\n- d"),
        ("3. *a*\n4. b\n   - c", "3. _a_\n4. b\n   - c"),
        ("1) *a*\n1) b", "1) _a_\n2) b"),
        ("1. **a**\n\n   more\n\n2. b", "1. *a*\n\n   more\n\n2. b"),
        ("* [ ] to do\n* [x] done", "- [ ] to do\n- [x] done"),
        ("> **wise**\n> words\n\nsaid he", "> *wise*\n> words\n\nsaid he"),
        ("> > *deep*", "> > _deep_"),
        ("* > *quoted*", "> - _quoted_"),
        ("* a\n\n  ```py\n  x = 1\n  ```\n* b", "- a\n\n```py\nx = 1\n```\n- b"),
    ],
)
def test_lists_and_quotes(markdown: str, expected: str) -> None:
    assert rendered(markdown) == expected


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("| Day | Open |\n|---|:-:|\n| Mo | **9** |\n| Tu | |", "*Day* | *Open*\nMo | *9*\nTu"),
        ("a | b\n--|--\n1 | 2 | lost?", "*a* | *b*\n1 | 2 | lost?"),
        ("| a |\n|---|\n| x<br>**y**<BR/>z |", "*a*\nx / *y* / z"),
        ("> | a | b |\n> |---|---|\n> | 1 | 2 |", "> *a* | *b*\n> 1 | 2"),
        ("| a |\n|---|\n| `x \\| y` |\n\nText", "*a*\n`x | y`\n\nText"),
    ],
)
def test_tables_are_lines(markdown: str, expected: str) -> None:
    assert rendered(markdown) == expected


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("```py\na_b = **c\n\n  # d\n```", "```py\na_b = **c\n\n  # d\n```"),
        ("~~~\n*x*\n~~~", "```\n*x*\n```"),
        ("```\nnever closed", "```\nnever closed\n```"),
        ("Text\n\n    four *spaces*", "Text\n\n```\nfour *spaces*\n```"),
        ("````\n```\nx\n```\n````", "```\n``\u200b`\nx\n``\u200b`\n```"),
    ],
)
def test_code_blocks(markdown: str, expected: str) -> None:
    assert rendered(markdown) == expected
