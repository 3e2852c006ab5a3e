"""What a model writes as Markdown is written in WhatsApp's marks, and what is no Markdown stays as it is."""

import pytest

from bot.channels.rendering import has_markdown, render
from bot.channels.rendering.dialects import WHATSAPP

LIMIT = 4096


def rendered(markdown: str, limit: int = LIMIT) -> str:
    (text,) = render(markdown, WHATSAPP, limit)
    return text


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("**bold**", "*bold*"),
        ("__bold__", "*bold*"),
        ("*italic* and _italic_", "_italic_ and _italic_"),
        ("~~gone~~", "~gone~"),
        ("***both***", "_*both*_"),
        ("**_both_**", "*_both_*"),
        ("**bold with *italic* in it**", "*bold with _italic_ in it*"),
        ("*italic with **bold** in it*", "_italic with *bold* in it_"),
        ("**bold __bold__ bold**", "*bold bold bold*"),
        ("**a** **b**", "*a* *b*"),
        ("**two\nlines**", "*two*\n*lines*"),
        ("**bold `code` bold**", "*bold `code` bold*"),
        ("# Title\nText", "*Title*\nText"),
        ("### The **third**\n\nText", "*The third*\n\nText"),
        ("Title\n=====\n\nText", "*Title*\n\nText"),
        ("a\n\n---\n\nb", "a\n\n———\n\nb"),
        ("`**x**` and `a_b`", "`**x**` and `a_b`"),
        ("``a`b``", "```a`b```"),
        ("**Note:**this", "Note:this"),
        ("a<br>b <br/>\nc", "a\nb \nc"),
    ],
)
def test_marks(markdown: str, expected: str) -> None:
    assert rendered(markdown) == expected


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("[us](https://example.org/a)", "us (https://example.org/a)"),
        ("**[us](https://example.org/a)**", "*us (https://example.org/a)*"),
        ("[**us**](https://example.org/a_(b)_c)", "*us* (https://example.org/a_(b)_c)"),
        ("[https://example.org](https://example.org)", "https://example.org"),
        ("<https://example.org/ä_b_>", "https://example.org/ä_b_"),
        ("[a@example.org](mailto:a@example.org)", "a@example.org"),
        ("[](https://example.org)", "https://example.org"),
        ("![A cat](https://example.org/c.png)", "A cat (https://example.org/c.png)"),
        ("![](https://example.org/c.png)", "https://example.org/c.png"),
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))"),
        ("See [1].\n\n[1]: https://example.org/a_b_c", "See [1].\n\n[1]: https://example.org/a_b_c"),
        ("https://en.wikipedia.org/wiki/_Foo_(bar)_baz", "https://en.wikipedia.org/wiki/_Foo_(bar)_baz"),
        ("https://example.org/*a*/b *c*", "https://example.org/*a*/b _c_"),
        ("**https://example.org/_a_b**!", "*https://example.org/_a_b*!"),
        ("见https://example.org/a，**好**", "见https://example.org/a，*好*"),
    ],
)
def test_links_are_text_and_url(markdown: str, expected: str) -> None:
    assert rendered(markdown) == expected


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


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("**Öffnungszeiten:** Mo–Fr „täglich“", "*Öffnungszeiten:* Mo–Fr „täglich“"),
        ("¡**Atención**! ¿*Qué* pasa?", "¡*Atención*! ¿_Qué_ pasa?"),
        ("这是**重要**的。", "这是*重要*的。"),
        ("**注意：**内容，**「好」**的", "*注意：*内容，*「好」*的"),
        ("**“重要”**的", "*“重要”*的"),
        ("**중요**합니다", "*중요*합니다"),
        ("**مرحبا** بالعالم", "*مرحبا* بالعالم"),
        ("\u200f**שלום** עולם", "\u200f*שלום* עולם"),
        ("**👍🏽 ok** 👩‍👩‍👧", "*👍🏽 ok* 👩‍👩‍👧"),
        # WhatsApp takes no mark for one that touches a word: its asterisks would be seen.
        ("**Donau**dampfschiff", "Donaudampfschiff"),
        ("un**believ**able", "unbelievable"),
    ],
)
def test_languages(markdown: str, expected: str) -> None:
    assert rendered(markdown) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Guten Tag! Wir haben von 9 bis 18 Uhr offen (außer sonntags).", False),
        ("- one\n- two\n\n1. three\n> four", False),
        ("Fish & chips cost $5; a < b, 2 > 1 ~ #1", False),
        ("**x**", True),
        ("a_b", True),
        ("a\n# b", True),
        ("a\n===", True),
        ("a\n- - -", True),
        ("&amp;", True),
        ("~~a~~", True),
    ],
)
def test_plain_text_is_recognised(text: str, expected: bool) -> None:
    assert has_markdown(text) is expected
