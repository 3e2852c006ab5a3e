"""Phone numbers however people write them, as E.164: "+" and 4 to 15 digits."""

import re
import unicodedata

import phonenumbers
from django.conf import settings
from django.utils.translation import gettext as _
from phonenumbers import NumberParseException

MIN_DIGITS, MAX_DIGITS = 4, 15
# Longer than any number with all its decoration; bounds the work a hostile text can cause.
MAX_TEXT = 64
E164 = re.compile(rf"\+[1-9][0-9]{{{MIN_DIGITS - 1},{MAX_DIGITS - 1}}}")
SCHEMES = re.compile(r"(?:tel|sms|whatsapp):", re.IGNORECASE)
# A table's number as programs write it: "491711234567.0".
FLOAT = re.compile(r"(\+?[0-9]{7,15})\.0\Z")
# What people put between digits. Dashes, white space and invisible characters are recognised by their Unicode category.
PUNCTUATION = frozenset("()[]./\u2212\u00b7")

# Brazil's old eight-digit mobile numbers start with 6 to 9; 2 to 5 are landlines, which never got a ninth digit.
BRAZIL_MOBILE = re.compile(r"(\+55[0-9]{2})(9?)([6-9][0-9]{7})")
MEXICO = re.compile(r"(\+52)(1?)([0-9]{10})")
ARGENTINA = re.compile(r"(\+54)(9?)([0-9]{10})")
# Côte d'Ivoire put two digits before its numbers of eight on 31 January 2021, by the operator: the second digit of an
# old mobile number tells it (Moov 0-3, MTN 4-6, Orange 7-9), the third of an old landline (Moov 8, MTN 0, else Orange).
# https://fr.wikipedia.org/wiki/Liste_des_indicatifs_téléphoniques_en_Côte_d'Ivoire and
# https://github.com/google/libphonenumber/issues/1909 (the old ranges). A number that is new since has one spelling.
COTE_D_IVOIRE = tuple(
    (re.compile(rf"(\+225)({digits}|)({old})"), digits)
    for digits, old in (
        ("01", "[04-9][0-3][0-9]{6}"),
        ("05", "[04-9][4-6][0-9]{6}"),
        ("07", "[04-9][7-9][0-9]{6}"),
        ("21", "[23][0-9]8[0-9]{5}"),
        ("25", "[23][0-9]0[0-9]{5}"),
        ("27", "[23][0-9][1-79][0-9]{5}"),
    )
)
# Benin put 01 before all of its numbers on 30 November 2024.
# https://github.com/twcclegg/libphonenumber-csharp/issues/272
BENIN = re.compile(r"(\+229)(01|)([2-9][0-9]{7})")
OPTIONAL_DIGITS = ((BRAZIL_MOBILE, "9"), (MEXICO, "1"), (ARGENTINA, "9"), *COTE_D_IVOIRE, (BENIN, "01"))


class InvalidPhoneNumber(ValueError):
    """The text is no phone number. The message says what is wrong and what would be right, and repeats no digits."""

    def __init__(self, problem: str) -> None:
        super().__init__(
            _("%(problem)s: write it with the country code, such as +491711234567.") % {"problem": problem}
        )


def read_number(raw: str) -> str:
    """Return raw as E.164; a national spelling is read with PHONE_DEFAULT_REGION. Errors are those of normalise()."""
    return normalise(raw, settings.PHONE_DEFAULT_REGION)


def normalise(raw: str, region: str = "") -> str:
    """Return the number as E.164, from any usual spelling of it.

    Digits without "+" or "00" are an international number, which is how WhatsApp writes them; with a region (such as
    "DE") a national one, unless only the international reading makes sense. So an address from a channel, other than
    what a person types, wants its "+" before it is read with a region. A number that cannot exist (+1234567890) is
    accepted: test numbers and new ranges look like that.

    Raises:
        InvalidPhoneNumber: letters, no digits, too few or too many digits, no country code, two numbers.
    """
    spelling = _clean(raw)
    if _are_two(raw, region):
        raise InvalidPhoneNumber(_("These are two numbers, of which one is needed"))
    international = spelling.startswith("+")
    digits = spelling.removeprefix("+")
    if not digits:
        raise InvalidPhoneNumber(_("A phone number has digits; this has none"))
    if not international:
        number = _with_region(digits, region.strip().upper())
        if number:
            return number
    if digits.startswith("0"):
        if international:
            raise InvalidPhoneNumber(_("A country code never starts with 0"))
        raise InvalidPhoneNumber(_("The number starts with 0 and has no country code"))
    return _international(digits)


def is_e164(text: str) -> bool:
    """Return whether text is a normalised number: "+" and 4 to 15 ASCII digits."""
    return E164.fullmatch(text) is not None


def is_possible(e164: str) -> bool:
    """Return whether such a number can exist, by its length and country code, in one of its equivalent spellings."""
    parsed = (_parse(variant, None) for variant in variants(e164))
    return any(number is not None and phonenumbers.is_possible_number(number) for number in parsed)


def variants(e164: str) -> tuple[str, ...]:
    """Return the number itself, then its equivalent spellings.

    Brazil's ninth digit (mobile numbers only), Mexico's 1 after +52, Argentina's 9 after +54, what Côte d'Ivoire and
    Benin put before their old numbers: providers write the same person's number with and without.
    """
    for pattern, digits in OPTIONAL_DIGITS:
        match = pattern.fullmatch(e164)
        if match:
            start, present, rest = match.groups()
            return e164, f"{start}{'' if present else digits}{rest}"
    return (e164,)


def spellings(address: str) -> tuple[str, ...]:
    """Return every way a channel may write the address: a phone number's variants, anything else as it is."""
    return variants(address) if is_e164(address) else (address,)


def mask(e164: str) -> str:
    """Return the number for display and logs: the country code, and the last two digits of a number long enough."""
    parsed = _parse(e164, None)
    country = f"+{parsed.country_code}" if parsed else e164[:2]
    return f"{country}…{e164[-2:]}" if len(e164) - len(country) > 4 else f"{country}…"


def _clean(raw: str) -> str:
    """Return raw as ASCII digits, after "+" where it is written internationally."""
    if len(raw) > MAX_TEXT:
        raise InvalidPhoneNumber(_("This is too long for a phone number"))
    text = SCHEMES.sub("", unicodedata.normalize("NFKC", raw).strip(), count=1)
    text = FLOAT.sub(r"\1", text)
    kept = "".join(_kept(character) for character in text.strip())
    sign, digits = ("+", kept[1:]) if kept.startswith("+") else ("", kept)
    if "+" in digits:
        raise InvalidPhoneNumber(_("A phone number has one + at its start"))
    if not sign and digits.startswith("00"):
        return f"+{digits[2:]}"
    return sign + digits


def _are_two(raw: str, region: str) -> bool:
    """Return whether a slash has another ending or number behind it: "…770/74", "…-0/-12". Before it is a whole one."""
    before, slash, _rest = unicodedata.normalize("NFKC", raw).rpartition("/")
    if not slash:
        return False
    # An area code is no number: "0171/1234567" is one.
    spelling = _clean(before)
    text = spelling if spelling.startswith("+") or region.strip() else f"+{spelling}"
    number = _parse(text, region.strip().upper() or None)
    return number is not None and phonenumbers.is_valid_number(number)


def _kept(character: str) -> str:
    """Return the ASCII digit or "+" that character stands for, or nothing for what may stand between digits."""
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if character == "+":
        return character
    # Cf: the invisible direction marks that phones put around a copied contact's number.
    if category in {"Zs", "Pd", "Cf"} or character in PUNCTUATION or character == "\t":
        return ""
    if category.startswith("L"):
        raise InvalidPhoneNumber(_("A phone number has no letters"))
    raise InvalidPhoneNumber(_("A phone number has digits, spaces and + ( ) - . / only"))


def _with_region(digits: str, region: str) -> str | None:
    """Return what digits without "+" or "00" mean in region, or None when they are better read internationally."""
    national, international = _parse(digits, region), _parse(f"+{digits}", None)
    if national is None or not is_possible(_e164(national)):
        return None
    if international and phonenumbers.is_valid_number(international):
        # German landlines may start with 49, but a German who writes 491711234567 means +49 171 1234567.
        at_home = international.country_code == phonenumbers.country_code_for_region(region)
        if at_home or not phonenumbers.is_valid_number(national):
            return None
    number = _e164(national)
    return number if is_e164(number) else None


def _international(digits: str) -> str:
    """Return "+digits", without a national prefix's 0 after the country code where its country has one."""
    number = f"+{digits}"
    # Once is enough for real numbers; of a nonsense number with several zeros each time takes one away.
    while (parsed := _parse(number, None)) and phonenumbers.is_possible_number(parsed) and _e164(parsed) != number:
        number = _e164(parsed)
    count = len(number) - 1
    if not MIN_DIGITS <= count <= MAX_DIGITS:
        problem = _("A phone number has %(least)d to %(most)d digits, country code included; this has %(count)d")
        raise InvalidPhoneNumber(problem % {"least": MIN_DIGITS, "most": MAX_DIGITS, "count": count})
    return number


def _parse(text: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except NumberParseException:
        return None


def _e164(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
