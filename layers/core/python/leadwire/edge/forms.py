"""Bodies that browsers send for HTML forms, as JSON objects: urlencoded, and multipart without files."""

from __future__ import annotations

import urllib.parse
from email import policy
from email.parser import BytesParser
from typing import Any

from leadwire.errors import FieldError, InvalidInput

URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
FIELDS = 200


def values(raw: bytes, content_type: str) -> dict[str, Any] | None:
    """Names to texts, or to a list of texts where a name comes several times; None if it is no form post.

    Where no file was chosen, browsers send one without a name and without anything in it: an empty text.

    Raises InvalidInput for files, and for what cannot be read.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in (URLENCODED, MULTIPART):
        return None
    try:
        pairs = _urlencoded(raw) if kind == URLENCODED else _multipart(raw, content_type)
    except (ValueError, LookupError) as error:
        raise InvalidInput(FieldError("", "must be a readable form post", "form_invalid")) from error
    found: dict[str, Any] = {}
    for name, text in pairs:
        found[name] = text if name not in found else [*_listed(found[name]), text]
    return found


def _urlencoded(raw: bytes) -> list[tuple[str, str]]:
    return urllib.parse.parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=FIELDS, errors="strict")


def _multipart(raw: bytes, content_type: str) -> list[tuple[str, str]]:
    message = BytesParser(policy=policy.HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + raw)
    pairs = []
    for part in message.iter_parts():
        name, file = part.get_param("name", header="content-disposition"), part.get_filename()
        content = part.get_payload(decode=True)
        if name is None or not isinstance(content, bytes):
            raise ValueError("a part without name or content")
        if file or (file is not None and content):
            raise InvalidInput(FieldError(str(name), "must not be a file", "file"))
        pairs.append((str(name), content.decode()))
    if not 0 < len(pairs) <= FIELDS:
        raise ValueError("no parts, or too many")
    return pairs


def _listed(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]
