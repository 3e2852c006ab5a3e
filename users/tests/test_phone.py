import pytest

from users.phone import InvalidPhoneNumber, is_e164, is_possible, mask, normalise, variants

GERMAN = "+491711234567"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("+491711234567", GERMAN),
        ("+49 (0)171 123-4567", GERMAN),
        ("+49(0)171/1234567", GERMAN),
        ("(+49) 171 1234567", GERMAN),
        ("00491711234567", GERMAN),
        ("0049 171 123 45 67", GERMAN),
        ("491711234567", GERMAN),
        ("tel:+49-171-1234567", GERMAN),
        ("TEL:+491711234567", GERMAN),
        ("whatsapp:+491711234567", GERMAN),
        (" sms:+49 171 1234567 \n", GERMAN),
        ("15551234567", "+15551234567"),
        # as tables of numbers are written out
        ("491711234567.0", GERMAN),
        ("+491711234567.0", GERMAN),
        ("+1 (555) 123.4567", "+15551234567"),
        ("+39 06 6982", "+39066982"),
        # a copied contact: direction marks, no-break and narrow spaces, all kinds of dashes, a byte order mark
        ("\u202a+49\u00a0171\u202f1234567\u202c", GERMAN),
        ("\ufeff+49\u2011171\u20131234\u2212567\u200b", GERMAN),
        ("+49\t171 1234567", GERMAN),
        # Arabic-Indic, Devanagari and full-width digits
        ("+٤٩١٧١١٢٣٤٥٦٧", GERMAN),
        ("+४९१७११२३४५६७", GERMAN),
        ("＋４９（０）１７１－１２３４５６７", GERMAN),
        # numbers that cannot exist, or whose country is not known: test numbers and new ranges
        ("+1234567890", "+1234567890"),
        ("+999123456", "+999123456"),
        ("+1234", "+1234"),
        ("310000000", "+3100000"),  # every 0 after +31 reads as the national prefix, until too little is left
        ("+123456789012345", "+123456789012345"),
    ],
)
def test_any_usual_spelling_is_read_as_e164(raw, expected):
    assert normalise(raw) == expected
    assert normalise(normalise(raw)) == expected


@pytest.mark.parametrize(
    ("raw", "region", "expected"),
    [
        ("0171 1234567", "DE", GERMAN),
        # before Benin's numbers got 01: it is no number of the Emirates (+971)
        ("97 12 34 56", "BJ", "+22997123456"),
        ("0171 1234567", " de ", GERMAN),
        ("(0171) 123-45-67", "DE", GERMAN),
        ("491711234567", "DE", GERMAN),
        ("+49 171 1234567", "US", GERMAN),
        ("0049 171 1234567", "US", GERMAN),
        ("011 49 171 1234567", "US", GERMAN),
        ("(415) 555-2671", "US", "+14155552671"),
        ("15551234567", "US", "+15551234567"),
        ("5551234567", "US", "+15551234567"),
        ("98765 43210", "IN", "+919876543210"),
        ("91987 65432", "IN", "+919198765432"),
        ("919876543210", "IN", "+919876543210"),
        ("11 98765-4321", "BR", "+5511987654321"),
        ("8 912 345-67-89", "RU", "+79123456789"),
        ("447911123456", "US", "+447911123456"),
        ("06 698 12345", "IT", "+390669812345"),
        ("123456789012345", "DE", "+123456789012345"),
        ("491711234567", "XX", GERMAN),
    ],
)
def test_a_national_spelling_is_read_with_its_region(raw, region, expected):
    assert normalise(raw, region) == expected


@pytest.mark.parametrize(
    ("raw", "complaint"),
    [
        ("", "has digits; this has none"),
        ("   ", "has digits; this has none"),
        ("+", "has digits; this has none"),
        ("tel:", "has digits; this has none"),
        ("()- .", "has digits; this has none"),
        ("1-800-FLOWERS", "no letters"),
        ("+49 171 1234567 ext. 5", "no letters"),
        ("+49 171 123456O", "no letters"),
        ("номер", "no letters"),
        ("US.13491208655302741918", "no letters"),
        ("+123", "4 to 15 digits, country code included; this has 3"),
        ("+1234567890123456", "4 to 15 digits, country code included; this has 16"),
        ("123", "4 to 15 digits"),
        ("0171 1234567", "starts with 0 and has no country code"),
        ("+0171 1234567", "never starts with 0"),
        ("000171 1234567", "never starts with 0"),
        ("++491711234567", "one + at its start"),
        ("+49+171", "one + at its start"),
        ("171+", "one + at its start"),
        ("+49171#123", "digits, spaces and"),
        ("+49171,123", "digits, spaces and"),
        ("+49171\n123", "digits, spaces and"),
        ("+49171😀", "digits, spaces and"),
        ("+49171\x00", "digits, spaces and"),
        ("1" * 100_000, "too long"),
    ],
)
def test_what_is_no_number_is_refused_with_what_is_wrong_and_what_would_be_right(raw, complaint):
    with pytest.raises(InvalidPhoneNumber, match=r"\+491711234567") as caught:
        normalise(raw)
    assert complaint in str(caught.value)
    assert isinstance(caught.value, ValueError)


def test_a_national_number_that_fits_no_region_is_refused():
    for region in ("", "XX", "US"):
        with pytest.raises(InvalidPhoneNumber):
            normalise("0171 1234567 8901234", region)


def test_a_refusal_repeats_no_digits():
    with pytest.raises(InvalidPhoneNumber) as caught:
        normalise("0176 55544433")
    assert "55544433" not in str(caught.value).replace(" ", "")


@pytest.mark.parametrize(
    ("number", "possible"),
    [
        (GERMAN, True),
        ("+5215512345678", True),  # Mexico's former spelling, possible without the 1
        ("+1234567890", False),
        ("+999123456", False),
        ("+1234", False),
        ("not a number", False),
    ],
)
def test_a_number_that_cannot_exist_is_recognised(number, possible):
    assert is_possible(number) is possible


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+5531987654321", {"+5531987654321", "+553187654321"}),
        ("+553187654321", {"+553187654321", "+5531987654321"}),
        ("+553132345678", {"+553132345678"}),  # a landline has no ninth digit
        ("+5531932345678", {"+5531932345678"}),  # without the 9 this would be somebody's landline
        ("+5215512345678", {"+5215512345678", "+525512345678"}),
        ("+525512345678", {"+525512345678", "+5215512345678"}),
        ("+5491123456789", {"+5491123456789", "+541123456789"}),
        ("+541123456789", {"+541123456789", "+5491123456789"}),
        # Côte d'Ivoire: by the operator, which the old number tells
        ("+2250545123456", {"+2250545123456", "+22545123456"}),
        ("+22545123456", {"+2250545123456", "+22545123456"}),
        ("+22507080910", {"+2250707080910", "+22507080910"}),
        ("+2250102030405", {"+2250102030405", "+22502030405"}),
        ("+2252722412233", {"+2252722412233", "+22522412233"}),
        ("+22520012345", {"+2252520012345", "+22520012345"}),
        ("+2252131887766", {"+2252131887766", "+22531887766"}),
        # new since: no number of eight digits has become this
        ("+2250701020304", {"+2250701020304"}),
        ("+2252722012233", {"+2252722012233"}),
        # Benin
        ("+2290197123456", {"+2290197123456", "+22997123456"}),
        ("+22997123456", {"+2290197123456", "+22997123456"}),
        ("+22921301234", {"+2290121301234", "+22921301234"}),
        (GERMAN, {GERMAN}),
        ("+15551234567", {"+15551234567"}),
    ],
)
def test_equivalent_spellings_are_known(number, expected):
    found = variants(number)
    assert found[0] == number
    assert set(found) == expected
    assert len(found) == len(expected)


@pytest.mark.parametrize(
    ("raw", "region"),
    [
        ("+212522940770/74", ""),
        ("212522940770/74", ""),
        ("+212 5229-40770 / 74", ""),
        ("+49 30 123456-0/-12", ""),
        ("0049 30 123456-0/-12", ""),
        ("+49 171 1234567/1717654321", ""),
        ("+49 171 1234567／8", ""),
        ("0171 1234567/8", "DE"),
        ("030/1234567/8", "DE"),
    ],
)
def test_a_slash_behind_a_whole_number_is_a_second_number(raw, region):
    with pytest.raises(InvalidPhoneNumber, match="two numbers"):
        normalise(raw, region)


@pytest.mark.parametrize(
    ("raw", "region", "expected"),
    [
        ("+49 171/1234567", "", GERMAN),
        ("0171/123 45 67", "DE", GERMAN),
        ("+49/171/1234567", "", GERMAN),
        ("+43 1/5123456", "", "+4315123456"),
        ("+49 30/123456-0", "", "+49301234560"),
        ("+39 06/6982", "", "+39066982"),
    ],
)
def test_a_slash_behind_an_area_code_parts_nothing(raw, region, expected):
    assert normalise(raw, region) == expected


@pytest.mark.parametrize("number", ["+22545123456", "+22997123456"])
def test_a_former_spelling_is_no_reason_to_doubt_a_number(number):
    assert is_possible(number)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GERMAN, True),
        ("+1234", True),
        ("+123", False),
        ("+1234567890123456", False),
        ("491711234567", False),
        ("+0491711", False),
        ("+49 1711", False),
        ("+٤٩١٧١", False),
        ("+12345\n", False),
        ("US.1349", False),
        ("", False),
    ],
)
def test_only_a_normalised_number_is_e164(text, expected):
    assert is_e164(text) is expected


@pytest.mark.parametrize(
    ("number", "masked"),
    [(GERMAN, "+49…67"), ("+15551234567", "+1…67"), ("+999123456", "+9…56"), ("+1234", "+1…"), ("+49171", "+49…")],
)
def test_a_masked_number_shows_country_and_two_digits_at_most(number, masked):
    assert mask(number) == masked
