"""Whatever a model writes: nothing is lost, every part fits, and its marks and fences are whole."""

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.channels.rendering import render
from bot.channels.rendering.dialects import WHATSAPP

# (Derived from the test alone: what passed once passes again.)
BOUNDED = settings(derandomize=True, deadline=None, database=None, max_examples=150)
WORDS = st.sampled_from(
    ["Haus", "größer", "año", "你好", "。", "مرحبا", "שלום", "👋🏽", "x1", "3", "Satz.", "Why?", "a" * 130, "字" * 120]
)
PLAIN = st.lists(WORDS, min_size=1, max_size=12).map(" ".join)
MARKED = st.tuples(st.sampled_from(["**", "*", "_", "~~", "`", "***", "**_"]), PLAIN).map(
    lambda pair: f"{pair[0]}{pair[1]}{pair[0][::-1]}"
)
INLINE = st.lists(PLAIN | MARKED, min_size=1, max_size=4).map(" ".join)
CODE = st.tuples(st.sampled_from(["", "py", "c++"]), st.lists(PLAIN | st.just(""), max_size=12)).map(
    lambda pair: "\n".join([f"```{pair[0]}", *pair[1], "```"])
)
ROWS = st.lists(st.tuples(PLAIN, PLAIN), min_size=1, max_size=4)
BLOCKS = st.one_of(
    INLINE,
    CODE,
    INLINE.map("## {}".format),
    INLINE.map("> {}".format),
    st.lists(INLINE, min_size=1, max_size=5).map(lambda items: "\n".join(f"* {item}" for item in items)),
    st.lists(INLINE, min_size=2, max_size=4).map(
        lambda items: "\n".join(f"{'    ' * depth}- {item}" for depth, item in enumerate(items))
    ),
    ROWS.map(lambda rows: "a | b\n--|--\n" + "\n".join(" | ".join(row) for row in rows)),
)
DOCUMENTS = st.lists(BLOCKS, min_size=1, max_size=6).map("\n\n".join)
LIMITS = st.integers(100, 600)
NOISE = st.text(st.sampled_from("ab1 \n*_~`#->|[]()!\\$<:/.字　\u0301"), max_size=400)
LIMIT = 4096


def kept(text: str) -> str:
    """Return a text's letters and digits in their order."""
    return "".join(char for char in text if char.isalnum())


@BOUNDED
@given(DOCUMENTS, LIMITS)
def test_documents_keep_their_text_and_each_part_is_whole(markdown: str, limit: int) -> None:
    parts = render(markdown, WHATSAPP, limit)
    assert all(part and len(part) <= limit for part in parts)
    without_languages = re.sub(r"^```(?:py|c\+\+)?$", "", "\n".join(parts), flags=re.MULTILINE)
    assert kept(without_languages) == kept(re.sub(r"^```(?:py|c\+\+)?$", "", markdown, flags=re.MULTILINE))
    for part in parts:
        fences = re.findall(r"^```", part, flags=re.MULTILINE)
        assert len(fences) % 2 == 0, part
        text = re.sub(r"```.*?```", "", part, flags=re.DOTALL)
        for line in text.split("\n"):
            for mark in "*_~`":
                assert line.count(mark) % 2 == 0, line


@BOUNDED
@given(NOISE, LIMITS)
@example("[" * 400, 100)
@example("> " * 150 + "a", 100)
@example("- " * 150 + "a", 100)
@example("`" * 399 + "a", 100)
def test_noise_keeps_its_letters_and_every_part_fits(markdown: str, limit: int) -> None:
    try:
        parts = render(markdown, WHATSAPP, limit)
    except RecursionError:
        return
    assert all(len(part) <= limit for part in parts)
    # (The numbers of a list may be counted anew, and a link's title is not shown.)
    letters = [char for char in kept("".join(parts)) if not char.isdigit()]
    assert letters == [char for char in kept(markdown) if not char.isdigit()]


@BOUNDED
@given(st.text(st.sampled_from("ab1 \n.,:;()?!äß字🙂-"), max_size=300), LIMITS)
def test_text_without_markdown_is_only_split(text: str, limit: int) -> None:
    whole = render(text, WHATSAPP, 4096)
    assert whole == ([text.strip()] if text.strip() else [])
    assert kept("".join(render(text, WHATSAPP, limit))) == kept(text)


def test_a_long_code_block_is_closed_and_opened_again_with_its_language() -> None:
    code = [f"line_{number}  = compute({number})" for number in range(300)]
    assert len("\n".join(code)) > 7_000
    first, second = render("\n".join(["Here:", "", "```python", *code, "```", "", "**Done.**"]), WHATSAPP, LIMIT)
    assert first.startswith("Here:\n\n```python\nline_0  =") and first.endswith(")\n```")
    assert second.startswith("```python\nline_") and second.endswith("```\n\n*Done.*")
    bodies = [part.partition("```python\n")[2].partition("\n```")[0] for part in (first, second)]
    assert "\n".join(bodies).split("\n") == code
    assert len(first) > LIMIT - 50


def test_a_line_of_code_that_is_too_long_loses_nothing() -> None:
    code = "x = " + "ab   " * 1_400
    parts = render(f"```js\n{code}\n```", WHATSAPP, LIMIT)
    assert all(part.startswith("```js\n") and part.endswith("\n```") for part in parts)
    assert "".join(part[6:-4] for part in parts) == code


def test_a_bold_paragraph_that_is_cut_is_bold_in_each_part() -> None:
    sentences = [f"This is sentence number {number}." for number in range(20)]
    parts = render(f"**{' '.join(sentences)}**", WHATSAPP, 200)
    assert len(parts) > 1
    assert all(part.startswith("*This") and part.endswith(".*") and part.count("*") == 2 for part in parts)
    assert " ".join(part.strip("*") for part in parts) == " ".join(sentences)


def test_a_cut_comes_between_blocks_first() -> None:
    blocks = ["*" + "a" * 90 + "* b", "- one " + "c" * 40 + "\n- two " + "d" * 40, "- three\n- " + "e" * 90]
    assert render("\n\n".join(blocks).replace("*", "**"), WHATSAPP, 250) == ["\n\n".join(blocks[:2]), blocks[2]]


def test_a_quote_goes_on_in_the_next_part() -> None:
    parts = render("> " + "**Some** words. " * 40, WHATSAPP, 200)
    assert len(parts) > 1 and all(part.startswith("> *Some*") for part in parts)


def test_a_small_limit_is_kept_all_the_same() -> None:
    assert render("**abcdefgh**", WHATSAPP, 5) == ["**abc", "defgh", "**"]
