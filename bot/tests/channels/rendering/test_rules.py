"""What models write and do not mean as emphasis stays as it is."""

import pytest

from bot.tests.channels.rendering.written import rendered


@pytest.mark.parametrize(
    "text",
    [
        "2 * 3 * 4 = 24",
        "src/**/*.py and **/*.js, lib/**/a",
        "f(**kwargs), g(**args)",
        "HTML has <br> for a line break",
        "`a<br>b`",
        "2*3*4 and x**2 + y**2",
        "snake_case_name and __init__.py",
        "*args, **kwargs",
        "rated 5* by _",
        "*.py, *.txt",
        "*123*456# or +49 171 1234567",
        "a < b > c & d",
        "<b>bold</b> and List<String> <br>",
        "$x_1*y_2$ and $a*b*c$ or $$\\sum_{i} x_i * y_i * z$$",
        "\\(x_1 * y_2\\) and \\[ a*b \\]",
        "It costs $5 * 2 or $10 * 2",
        "| no table",
        "#hashtag and [brackets] (and more)",
        "1. one\n2. two",
        "- one\n- two",
        "C:\\Users\\a",
        "¯\\_ツ_/¯".replace("\\_", "_"),
        "مرحبا * بالعالم",
        "👋🏽 * 👩‍👩‍👧",
    ],
)
def test_what_is_no_markdown_stays(text: str) -> None:
    assert rendered(text) == text


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("\\*not bold\\*", "*not bold*"),
        ("\\# no title", "# no title"),
        ("\\[no link\\](x)", "[no link](x)"),
        ("a\\_b\\_c costs \\$5", "a_b_c costs $5"),
        ("Tom &amp; Ann &lt;3", "Tom & Ann <3"),
    ],
)
def test_escapes_are_honoured(markdown: str, expected: str) -> None:
    assert rendered(markdown) == expected
