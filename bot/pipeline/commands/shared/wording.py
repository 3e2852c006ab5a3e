"""Wording in replies to commands: sums of usage, names of people, quoted input."""

import unicodedata

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bot.language import grouped
from config.desk.money import exact
from usage.totals import Totals
from users.models import User

NAME_LENGTH = 200
QUOTED_LENGTH = 40
# Joiners, which emoji and some scripts need; other invisible characters only make a name look like another.
JOINERS = "\u200c\u200d"


# Characters of facts about a person.
FACTUAL = frozenset("()+…")
# Dots, bullets and bars of any script; quotes; what a chat shows as bold, struck out or code; what begins an id.
SEPARATORS = frozenset('·•∙⋅‧・･●○◦▪‣⁃|¦│┃ǀ∣"„‚〝〞＂*_~`#＃＊')


def totals_line(label: str, totals: Totals) -> str:
    """Return totals of usage on one line: answers, tokens, cost."""
    return "{label}: {answers}, {tokens} {cost}".format(
        label=label,
        answers=ngettext("%d answer", "%d answers", totals.completions) % totals.completions,
        tokens=_("%s tokens,") % grouped(totals.input_tokens + totals.output_tokens),
        cost=_("at least %s") % exact(totals.cost_micros) if totals.unpriced else exact(totals.cost_micros),
    )


def tidy_name(name: str) -> str:
    """Return a name on one line, without control and other invisible characters, cut to the longest name."""
    visible = "".join(" " if one.isspace() else one for one in name if one in JOINERS or is_visible(one))
    return " ".join(visible.split())[:NAME_LENGTH].strip()


def listed_name(name: str) -> str:
    """Return a name for a list or beside a number, in quotes if it looks like more than a name.

    So nobody can name themselves like an entry of the list ("Dana · +49…67 · 3 messages").
    """
    tidy = tidy_name(name)
    if not any(one in FACTUAL or is_separator(one) for one in tidy):
        return tidy
    inside = "".join(" " if is_separator(one) else one for one in tidy)
    return f"“{' '.join(inside.split())}”"


def is_separator(character: str) -> bool:
    """Return whether a character may look like a separator of a list, a quote or markup."""
    return character in SEPARATORS or (character != "’" and unicodedata.category(character) in {"Pi", "Pf"})


def is_visible(character: str) -> bool:
    """Return whether a character is visible; white space of any kind is."""
    return character.isspace() or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co"}


def quoted(text: str) -> str:
    """Return a person's input on one line, shortened for a reply."""
    tidy = tidy_name(text)
    return f"“{tidy if len(tidy) <= QUOTED_LENGTH else tidy[:QUOTED_LENGTH] + '…'}”"


def called(person: User) -> str:
    """Return a person's name and full number, for staff who may see both."""
    name = listed_name(person.name)
    if name and person.phone_number:
        return f"{name} ({person.phone_number})"
    return name or person.phone_number or _("person %d") % person.pk
