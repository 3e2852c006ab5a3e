"""Texts are cleaned of what no database holds, and cut where a reader would pause."""

import re
import time
import unicodedata

import pytest

from bot.text import clean, split


@pytest.mark.parametrize(
    ("label", "text", "expected"),
    [
        ("ordinary text is left alone", "Grüße 👋🏽\n\tTab", "Grüße 👋🏽\n\tTab"),
        ("NUL and other control characters go", "a\x00b\x07c\x1b[31md\x7fe\x9bf", "abc[31mdef"),
        ("lone surrogates go", "a\ud800b\udfffc", "abc"),
        ("line breaks become one kind", "a\r\nb\rc\nd", "a\nb\nc\nd"),
        ("nothing is left of nothing", "\x00\ud800", ""),
    ],
)
def test_clean_removes_what_cannot_be_stored_or_shown(label: str, text: str, expected: str) -> None:
    assert clean(text) == expected, label


def test_each_control_character_and_surrogate_is_removed_wherever_it_stands() -> None:
    for char in map(chr, (*range(0x3000), *range(0xD7F0, 0xE010), *range(0xFFF0, 0x10010))):
        kept = "\n" if char in "\r\n" else char
        is_unwanted = unicodedata.category(char) in {"Cc", "Cs"} and kept not in "\n\t"
        assert clean(f"a{char}b") == ("ab" if is_unwanted else f"a{kept}b"), hex(ord(char))


def test_what_clean_returns_can_be_encoded_and_is_stable() -> None:
    everything = "".join(map(chr, range(0x300))) + "".join(map(chr, range(0xD7F0, 0xE010)))
    cleaned = clean(everything)
    cleaned.encode("utf-8")
    assert clean(cleaned) == cleaned


@pytest.mark.parametrize(
    ("label", "text", "limit", "expected"),
    [
        ("what fits is one part", "Hello there", 11, ["Hello there"]),
        ("nothing makes no part", "", 10, []),
        ("white space makes no part", " \n\t ", 10, []),
        ("a paragraph is the best place", "One two.\n\nThree. Four\nfive", 16, ["One two.", "Three. Four\nfive"]),
        ("a line break is better than a sentence", "One two\nThree. Four", 12, ["One two", "Three. Four"]),
        ("a sentence is better than a word", "One two. Three four", 15, ["One two.", "Three four"]),
        ("a Chinese sentence needs no space", "你好吗？我很好谢谢", 6, ["你好吗？", "我很好谢谢"]),
        ("a word is better than nothing", "One two three", 9, ["One two", "three"]),
        ("a word that just fits is not moved", "One two three", 7, ["One two", "three"]),
        (
            "a break too early would waste a part",
            "A\n\nlonger text follows here",
            24,
            ["A\n\nlonger text follows", "here"],
        ),
        ("a long word is cut where it must be", "abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("indentation at a cut is the only thing lost", "one\n    two", 5, ["one", "two"]),
    ],
)
def test_split_cuts_where_a_reader_would_pause(label: str, text: str, limit: int, expected: list[str]) -> None:
    assert split(text, limit) == expected, label


@pytest.mark.parametrize(
    ("label", "cluster"),
    [
        ("an accent stays on its letter", "e\u0301"),
        ("a family stays together", "👨\u200d👩\u200d👧"),
        ("a skin tone stays on its hand", "👋🏽"),
        ("a variation selector stays", "❤\ufe0f"),
        ("a flag stays whole", "🇩🇪"),
        ("a keycap stays whole", "1\ufe0f\u20e3"),
        ("Hindi conjuncts stay whole", "क्ष"),
        ("Hangul jamo stay together", "\u1112\u1161\u11ab"),
    ],
)
def test_split_does_not_cut_what_a_reader_sees_as_one_character(label: str, cluster: str) -> None:
    for limit in range(len(cluster), 3 * len(cluster)):
        for part in split(cluster * 9, limit):
            assert part == cluster * (len(part) // len(cluster)), label


@pytest.mark.parametrize("limit", [1, 2, 7, 50, 4096])
@pytest.mark.parametrize(
    "text",
    [
        "Lorem ipsum dolor sit amet. Consectetur!\n\nAdipiscing elit?\nSed do (eiusmod). " * 120,
        "x" * 9_000,
        "👨\u200d👩\u200d👧" * 700,
        "e" + "\u0301" * 500,
        "  \n\n a  \n b \n\n\n" * 300,
    ],
)
def test_split_loses_only_white_space_and_keeps_the_limit(text: str, limit: int) -> None:
    parts = split(text, limit)
    assert all(0 < len(part) <= limit and part == part.strip() for part in parts)
    assert re.sub(r"\s", "", "".join(parts)) == re.sub(r"\s", "", text)


def test_split_fills_parts_at_least_half_where_sentences_allow_it() -> None:
    parts = split("A short sentence. " * 1_000, 4096)
    assert len(parts) == -(-18 * 1_000 // 4096)


def test_a_limit_that_is_none_is_an_error() -> None:
    with pytest.raises(ValueError, match="limit"):
        split("text", 0)


def test_a_megabyte_is_split_in_moderate_time() -> None:
    started = time.process_time()
    split("word " * 100_000 + "🇩🇪" * 100_000, 4096)
    assert time.process_time() - started < 5
