"""The canaries, and how to find them however they are written."""

import base64
import binascii
import json
import re
from urllib.parse import quote, quote_plus

NUMBER = "+4915228817384"
STRANGER = "+12025550188"
ADDED = "+4915228817385"
COLLEAGUE = "+4915228817386"
BSUID = "DE.73491208655302741918"
NUMBERS = {"number": NUMBER, "stranger": STRANGER, "added": ADDED, "colleague": COLLEAGUE}

WORDS = {
    "bsuid": BSUID,
    "profile name": "Zebedee Quillfeather",
    "text": "xylophone-mango-7731",
    "reply": "velvet-harpsichord-4482",
    "prompt": "marmalade-directive-9065",
    "invite code": "QZXWVUTSRPNM",
    "somebody's key": "sk-foreign-hippogriff-3390",
    "cookie": "gingerbread-session-2210",
}
# Not of a form that any pattern knows, except where the form is required.
SECRETS = {
    "api key": "sk-canary-brontosaurus-5571",
    "app secret": "tumbleweed+factory/8843",
    "access token": "obsidianlanternaccess1209",
    "verify token": "periwinkle handshake 3377",
    "database password": "walrusdatabase6606",
    "redis password": "walrusredis7717",
    "secret key": "salamander-" + "abcdefghij0123456789" * 3,
    "admin password": "nightjar-admin-8128",
}
_SEPARATORS = re.compile(rb"(?<=\d)[ ().\-/_]{1,3}(?=\d)")


def leaks(content: bytes) -> list[str]:
    """Return the names of the canaries that content holds, in whatever spelling."""
    # Digits that are written apart are put together: no number hides behind its spaces.
    joined = _SEPARATORS.sub(b"", content)
    found = [name for name, number in NUMBERS.items() if _national(number).encode() in joined]
    found += [f"{name} in base64" for name, number in NUMBERS.items() if _in_base64(number[1:], content)]
    for name, words in (WORDS | SECRETS).items():
        spellings = {words, quote(words), quote(words, safe=""), quote_plus(words), json.dumps(words)[1:-1]}
        spellings |= {spelling.lower() for spelling in spellings}
        if any(spelling.encode() in content for spelling in spellings):
            found.append(name)
        if _in_base64(words, content):
            found.append(f"{name} in base64")
        if binascii.hexlify(words.encode()) in content:
            found.append(f"{name} in hexadecimal")
    return found


def _national(number: str) -> str:
    """Return the digits that every spelling of the number has: without country code or trunk zero."""
    return number[3:] if number.startswith("+49") else number[2:]


def _in_base64(words: str, content: bytes) -> bool:
    """Return whether words stand in content as part of something in base64, wherever they begin in it."""
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + words.encode())
        # What the characters before and after have a share in is left out.
        core = encoded[(0, 2, 3)[shift] :].rstrip(b"=")[:-1]
        if core in content or core.replace(b"+", b"-").replace(b"/", b"_") in content:
            return True
    return False
