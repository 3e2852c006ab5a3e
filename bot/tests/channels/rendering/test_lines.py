"""Marks of a line are written so that they are seen as such."""

import pytest

from bot.tests.channels.rendering.written import rendered


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
