"""The catalogues in locale/ are complete, say what their sources say, and are compiled."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils.translation.template import templatize

pytestmark = pytest.mark.promise("languages")

BASE = Path(__file__).resolve().parents[2]
APPS = ("config", "users", "conversations", "usage", "bot")
TRANSLATED = ("de", "es")
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}

Id = str | tuple[str, ...]


def folder(language: str) -> Path:
    return BASE / "locale" / language / "LC_MESSAGES"


def read(language: str) -> Catalog:
    with (folder(language) / "django.po").open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def messages(catalog: Catalog) -> Iterator[Message]:
    return (message for message in catalog if message.id)


def sources() -> Iterator[tuple[Path, str]]:
    """Yield every file that may hold texts, as Python: what Django makes of a template is like it."""
    for app in APPS:
        for path in sorted((BASE / app).rglob("*")):
            if "tests" in path.relative_to(BASE).parts:
                continue
            if path.suffix == ".py":
                yield path, path.read_text()
            elif path.suffix == ".html":
                # (Without the template's indentation, which means nothing to Python but would be taken for its own.)
                yield path, "\n".join(line.lstrip() for line in templatize(path.read_text()).splitlines())


def texts(source: str) -> Iterator[Id]:
    found = extract("python", io.BytesIO(source.encode()), keywords=KEYWORDS)
    return (id for _line, id, _comments, _context in found)


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_of_the_source_is_translated_and_nothing_else_is(language: str) -> None:
    places = {id: path.relative_to(BASE) for path, source in sources() for id in texts(source)}
    known = {message.id for message in messages(read(language)) if not message.fuzzy and all(strings(message))}

    assert len(places) > 400, "texts are found at all"
    missing = [f"{path}: {id}" for id, path in places.items() if id not in known]
    assert not missing, "run make messages and translate:\n" + "\n".join(missing)
    assert not [id for id in known if id not in places], "run make messages: no source says these any more"


def strings(message: Message) -> tuple[str, ...]:
    string: Any = message.string
    return (string,) if isinstance(string, str) else tuple(string)


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_have_the_placeholders_and_plurals_of_their_text(language: str) -> None:
    catalog = read(language)
    for message in messages(catalog):
        assert list(message.check(catalog)) == [], message.id
        for string in strings(message):
            assert tags(string) == tags(str(message.id)) or isinstance(message.id, tuple), message.id
            assert commands(string) == commands(last(message.id)), message.id


def last(id: Any) -> str:
    """Return the text itself, of a text with plurals the plural."""
    return id if isinstance(id, str) else id[-1]


def tags(text: str) -> list[str]:
    """Return the HTML tags of a text."""
    return [piece.partition(">")[0] for piece in text.split("<")[1:] if ">" in piece]


def commands(text: str) -> set[str]:
    """Return the chat commands, environment variables and command lines a text names: they have one name everywhere."""
    words = (word.strip(".,:;()“”„«»!?¿¡") for word in text.split())
    return {word for word in words if (word.startswith("/") and len(word) > 1) or (word.isupper() and "_" in word)}


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_compiled_catalogue_is_that_of_its_source(language: str) -> None:
    with (folder(language) / "django.mo").open("rb") as file:
        compiled = {last(message.id): strings(message) for message in messages(read_mo(file))}

    assert compiled == {last(message.id): strings(message) for message in messages(read(language))}


def test_every_language_that_can_be_chosen_has_a_catalogue() -> None:
    assert {code for code, _name in settings.LANGUAGES} == {"en", *TRANSLATED}
    assert {path.name for path in (BASE / "locale").iterdir()} == set(TRANSLATED)


def test_a_text_that_is_new_or_changed_would_be_found() -> None:
    source = 'x = _("One") + ngettext("%d two", "%d twos", 2)\ny = gettext_lazy(\n    "a " "b"\n)\n'
    assert list(texts(source)) == ["One", ("%d two", "%d twos"), "a b"]
    template = '{% load i18n %}{% translate "Three" %}{% blocktranslate %}Four {{ five }}{% endblocktranslate %}'
    assert list(texts(templatize(template))) == ["Three", "Four %(five)s"]
