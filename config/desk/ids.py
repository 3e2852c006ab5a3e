"""Read ids that came from outside: from a URL, a form or a search."""

LARGEST_ID = 2**63 - 1


def read_id(text: str) -> int | None:
    """Return the id that a text is, or None: ASCII digits, and no larger than a database's key can be."""
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(LARGEST_ID))):
        return None
    number = int(text)
    return number if number <= LARGEST_ID else None
