"""Form posts of browsers become the objects that a JSON body would be, or are refused."""

from __future__ import annotations

import pytest

from leadwire.edge import forms
from leadwire.errors import InvalidInput

BOUNDED = "multipart/form-data; boundary=x"


def part(disposition: str, text: str = "v") -> bytes:
    return f"--x\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{text}\r\n--x--\r\n".encode()


def test_other_content_types_are_not_form_posts() -> None:
    assert forms.values(b"{}", "application/json") is None
    assert forms.values(b"", "") is None


def test_names_become_texts_and_repeated_ones_lists() -> None:
    found = forms.values(b"a=1&b=%C3%A4+%2B&a=2&c=&a=3", "application/x-www-form-urlencoded; charset=utf-8")
    assert found == {"a": ["1", "2", "3"], "b": "ä +", "c": ""}


def test_parts_become_texts() -> None:
    assert forms.values(part('name="mail"', "Ä@b.c"), BOUNDED) == {"mail": "Ä@b.c"}


@pytest.mark.parametrize(
    ("raw", "content_type"),
    [
        (b"a=%ff", "application/x-www-form-urlencoded"),
        (b"&".join(b"a%d=1" % n for n in range(forms.FIELDS + 1)), "application/x-www-form-urlencoded"),
        (part('name="file"; filename="a.exe"'), BOUNDED),
        (part("nameless"), BOUNDED),
        (b"no parts", BOUNDED),
        (b"", "multipart/form-data"),
    ],
)
def test_what_cannot_be_read_is_refused(raw: bytes, content_type: str) -> None:
    with pytest.raises(InvalidInput):
        forms.values(raw, content_type)


def test_a_file_that_was_not_chosen_is_an_empty_text() -> None:
    assert forms.values(part('name="photo"; filename=""', ""), BOUNDED) == {"photo": ""}


@pytest.mark.parametrize("disposition", ['name="photo"; filename=""', 'name="photo"; filename="a.png"'])
def test_whatever_a_file_has_in_it_it_is_refused(disposition: str) -> None:
    with pytest.raises(InvalidInput, match="photo: must not be a file"):
        forms.values(part(disposition, "png"), BOUNDED)
