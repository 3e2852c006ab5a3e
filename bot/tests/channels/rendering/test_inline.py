"""Links in a paragraph are text and address."""

import pytest

from bot.tests.channels.rendering.written import rendered


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
