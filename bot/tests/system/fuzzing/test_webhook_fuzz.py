"""Whatever is delivered is answered without a 5xx, and what is stored of it is legal on both databases."""

from collections.abc import Callable
from random import Random
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.models import InboundMessage
from bot.tests.support.entrances import Entrance, Front
from bot.tests.support.factories import VERIFY_TOKEN, signature
from bot.tests.system.fuzzing import payloads
from bot.tests.system.fuzzing.answering import PATH, cast
from bot.tests.system.fuzzing.deliveries import CONTENT_TYPES, Delivery, hostile_body, odd_environ, signed
from bot.tests.system.fuzzing.legal import row_faults
from bot.tests.system.fuzzing.mutations import mutate, write
from bot.tests.system.fuzzing.posting import get, post
from bot.tests.system.fuzzing.suite import BOUNDED, sources, undone

# (Not measured: the corpus beside it runs the same code, and the measurement takes three times as long.)
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.no_cover,
    pytest.mark.database,
    pytest.mark.promise("batch", "neighbours of a malformed message"),
    pytest.mark.promise(
        "hostile",
        "any bytes, every odd value at every place of every kind of message, headers, handshakes, answers of models",
    ),
]

ANSWERED = ("text", "image", "audio", "document", "location", "button_reply", "nfm_reply", "order", "unsupported")


@pytest.fixture
def bot() -> Any:
    return cast()


def deliver(door: Entrance, body: bytes) -> int:
    """Return the status that a signed body is answered with."""
    return door.post(PATH, body).status


def ids_in_state(state: str) -> set[str]:
    return set(InboundMessage.objects.filter(state=state).values_list("external_id", flat=True))


@given(source=sources())
@BOUNDED
def test_any_body_is_answered_stored_legally_and_adds_nothing_when_it_comes_again(
    door: Entrance, bot: Any, source: Random
) -> None:
    body = hostile_body(source)
    with undone():
        status = deliver(door, body)
        rows = list(InboundMessage.objects.all())
        assert status in (200, 400)
        assert status == 200 or not rows, "what is refused leaves nothing behind"
        assert [fault for row in rows for fault in row_faults(row)] == []

        assert deliver(door, body) == status
        assert InboundMessage.objects.count() == len(rows)


def good_messages(source: Random) -> list[Any]:
    count = source.choice((1, 2, 5))
    return [{**payloads.message(source, source.choice(ANSWERED)), "id": f"good.{number}"} for number in range(count)]


BREAKS: dict[str, Callable[[Any], Any]] = {
    "no object": lambda item: [item],
    "null": lambda item: None,
    "an object of nothing": lambda item: {},
    "no id": lambda item: {**item, "id": None},
    "an id of another type": lambda item: {**item, "id": {"id": item["id"]}},
    "an id with NUL": lambda item: {**item, "id": "wamid.\u0000"},
    "a lone surrogate for an id": lambda item: {**item, "id": "\ud800"},
    "an endless id": lambda item: {**item, "id": "w" * 256},
    "a type of another type": lambda item: {**item, "type": 7},
    "no sender": lambda item: {**item, "from": None, "from_user_id": None},
    "a sender too long for a column": lambda item: {
        **item, "from": None, "from_user_id": "DE." + "A" * 128 + "." + "B" * 128
    },
    "a text without a body": lambda item: {**item, "text": {}},
    "a text of NUL": lambda item: {**item, "text": {"body": "\u0000"}},
    "a text of lone surrogates": lambda item: {**item, "text": {"body": "\udfff\ud800"}},
}  # fmt: skip


TOLD_SO = {"a type of another type", "a text without a body", "a text of NUL", "a text of lone surrogates"}


@pytest.mark.parametrize("broken", BREAKS)
def test_the_neighbours_of_a_malformed_message_are_stored_and_exactly_it_is_quarantined(
    door: Entrance, bot: Any, broken: str
) -> None:
    for seed in range(5):
        source = Random(f"{broken}:{seed}")
        messages = good = good_messages(source)
        at = source.randrange(len(good) + 1)
        messages = [*good[:at], BREAKS[broken](payloads.message(source, "text")), *good[at:]]
        body = write(payloads.messages_body(messages))
        with undone():
            for _ in range(2):
                assert deliver(door, body) == 200
                pending = ids_in_state("pending")
                told = {id for id in pending if id.startswith("unreadable-")}
                assert pending - told == {item["id"] for item in good}
                assert len(told) == (broken in TOLD_SO), "who sent it is told, where that is known"
                (quarantined,) = InboundMessage.objects.exclude(state="pending")
                assert (quarantined.state, quarantined.error_code) == ("quarantined", "INVALID_INPUT")
                assert quarantined.payload["reason"]


@given(source=sources())
@BOUNDED
def test_whatever_happens_inside_one_message_its_neighbours_are_stored(
    door: Entrance, bot: Any, source: Random
) -> None:
    good = good_messages(source)
    odd: Any = [payloads.message(source)]
    for _ in range(source.choice((1, 1, 2, 4))):
        odd = mutate(odd, source, payloads.body, literals=False)
    # (More than a delivery can hold is refused as a whole.)
    between = odd[:1_000] if isinstance(odd, list) else [odd]
    body = write(payloads.messages_body([good[0], *between, *good[1:]]))
    with undone():
        assert deliver(door, body) == 200
        assert ids_in_state("pending") >= {item["id"] for item in good}
        assert [fault for row in InboundMessage.objects.all() for fault in row_faults(row)] == []


NEARLY: dict[str, Callable[[str], str]] = {
    "cut": lambda right: right[:-1],
    "the beginning": lambda right: right[:20],
    "one more digit": lambda right: right + "0",
    "upper case": str.upper,
    "a bare digest": lambda right: right[7:],
    "another algorithm": lambda right: "sha1=" + right[7:],
    "twice": lambda right: f"{right},{right}",
    "a space before": lambda right: f" {right}",
    "a tab behind": lambda right: f"{right}\t",
    "backwards": lambda right: right[:7] + right[:6:-1],
    "no digest": lambda right: "sha256=",
    "noughts": lambda right: "sha256=" + "0" * 64,
    "a letter of Latin-1": lambda right: right + "\xff",
}


@pytest.mark.parametrize("nearly", NEARLY)
def test_a_signature_that_nearly_is_the_right_one_is_refused(door: Entrance, bot: Any, nearly: str) -> None:
    body = write(payloads.body(Random(1)))

    assert (
        post(door, PATH, Delivery(body, environ={"HTTP_X_HUB_SIGNATURE_256": NEARLY[nearly](signature(body))})).status
        == 403
    )
    assert not InboundMessage.objects.exists()


LATIN = st.text(st.characters(max_codepoint=0xFF), max_size=200)


@given(wrong=LATIN | st.builds("sha256={}".format, LATIN), source=sources())
@BOUNDED
def test_a_wrong_signature_is_refused_whatever_it_is(door: Entrance, bot: Any, wrong: str, source: Random) -> None:
    delivery = Delivery(write(payloads.body(source)), environ={"HTTP_X_HUB_SIGNATURE_256": wrong})
    with undone():
        assert post(door, PATH, delivery).status == 403
        assert not InboundMessage.objects.exists()


@given(source=sources(), content_type=st.sampled_from(CONTENT_TYPES))
@BOUNDED
def test_odd_headers_never_cause_a_5xx(door: Entrance, bot: Any, source: Random, content_type: str) -> None:
    odd = odd_environ(source)
    if isinstance(door, Front):
        odd.pop("CONTENT_LENGTH", None)  # (what is not the body's length the server refuses before)
    delivery = signed(write(payloads.body(source)), content_type, **odd)
    with undone():
        # A Content-Length that is not the body's makes it another body: cut, refused or not signed.
        assert post(door, PATH, delivery).status in (200, 400, 403, 413)


@pytest.mark.parametrize("content_type", CONTENT_TYPES, ids=lambda text: text[:30])
def test_the_content_type_of_a_genuine_delivery_does_not_matter(door: Entrance, bot: Any, content_type: str) -> None:
    body = write(payloads.messages_body([payloads.message(Random(1), "text")]))

    assert post(door, PATH, signed(body, content_type)).status == 200
    assert InboundMessage.objects.count() == 1


NAMES = ("hub.mode", "hub.verify_token", "hub.challenge", "hub.mode[]", "", "x")


@given(
    pairs=st.lists(st.tuples(st.sampled_from(NAMES), st.text(max_size=30) | st.just("subscribe")), max_size=8),
    junk=st.text(st.characters(max_codepoint=0xFF), max_size=60) | st.sampled_from(("%", "%ff%", "&" * 5_000, "a=%00",
    ";", "=")),
    content_type=st.sampled_from(CONTENT_TYPES),
)  # fmt: skip
@BOUNDED
def test_a_handshake_without_the_token_is_refused_whatever_it_asks(
    door: Entrance, bot: Any, pairs: list[tuple[str, str]], junk: str, content_type: str
) -> None:
    query = "&".join(f"{name}={quote_plus(value, errors='replace')}" for name, value in pairs)
    assume(VERIFY_TOKEN not in (value for _, value in pairs))

    # (Of a name that comes twice the last one counts.)
    given = f"{query}&{junk}&hub.mode=subscribe&hub.challenge=1"
    assert get(door, PATH, given, CONTENT_TYPE=content_type).status in (400, 403)


@pytest.mark.parametrize("content_type", CONTENT_TYPES, ids=lambda text: text[:30])
def test_the_handshake_with_the_token_is_answered_whatever_the_content_type(
    door: Entrance, bot: Any, content_type: str
) -> None:
    query = "hub.mode=%73ubscribe&hub.verify_token=a+verify%20token&hub.challenge=1158%32"

    answer = get(door, PATH, query, CONTENT_TYPE=content_type)

    assert (answer.status, answer.text) == (200, "11582")
