"""Read the form a file is uploaded with, for the log and for the answer."""

from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

MULTIPART = "multipart/form-data"


def read_form(content_type: str, raw: bytes) -> dict[str, Any] | None:
    """Return a form's fields; a file as {"filename", "type", "content"}. None: it is no such form."""
    if not content_type.startswith(MULTIPART):
        return None
    head = b"Content-Type: " + content_type.encode("ascii", "replace") + b"\r\n\r\n"
    form = BytesParser(policy=HTTP).parsebytes(head + raw)
    if not form.is_multipart():
        return None
    return {str(part.get_param("name", header="content-disposition")): _value(part) for part in form.iter_parts()}


def _value(part: Message) -> Any:
    content = bytes(part.get_payload(decode=True) or b"").decode("utf-8", "replace")
    if part.get_filename() is None:
        return content
    return {"filename": part.get_filename(), "type": part.get_content_type(), "content": content}
