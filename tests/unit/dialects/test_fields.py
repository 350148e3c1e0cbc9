"""Fields that all dialects share: what they take, and what they make of it."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from leadwire.dialects.fields import Moment
from leadwire.ports import Ports
from tests import doors
from tests.factories import Keys


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2026-11-21", 1_795_219_200_000),
        ("2026-11-21T01:00:00", 1_795_222_800_000),
        ("2026-11-21T01:00:00Z", 1_795_222_800_000),
        ("2026-11-21T02:00:00 01:00", 1_795_222_800_000),
        ("1960-01-01", 0),
    ],
)
def test_a_moment_is_read_as_utc_and_never_before_1970(text: str, ms: int) -> None:
    assert Moment.read(text).ms == ms


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_a_moment_that_its_zone_moves_out_of_the_calendar_is_refused(
    ports: Ports, keys_of_families: Keys, text: str
) -> None:
    body = {"name": "for ever", "expires_at": text}
    answer = doors.send(ports, "POST", "/api/v1/api-keys", keys_of_families["crm"], body=body)
    assert (answer.status, list(answer.body["errors"])) == (422, ["expires_at"])


@pytest.mark.parametrize("padded", [" tag" + " " * 100, "\t" * 98 + "tag"])
def test_white_space_counts_for_how_long_a_line_is(ports: Ports, keys_of_families: Keys, padded: str) -> None:
    answer = doors.send(ports, "GET", f"/v1/leads?tag={quote(padded)}", keys_of_families["lists"])
    assert (answer.status, answer.body["errors"][0]["code"]) == (400, "string_too_long")


@pytest.mark.parametrize(
    ("sent", "status"), [("8.0", 201), ("8e0", 201), ("8", 201), ("8.5", 422), ('"8"', 422), ("true", 422)]
)
def test_a_whole_number_may_be_spelled_with_a_point(
    ports: Ports, keys_of_families: Keys, sent: str, status: int
) -> None:
    body = f'{{"first_name": "Ada", "lead_score": {sent}}}'
    answer = doors.send(ports, "POST", "/api/v1/leads", keys_of_families["crm"], body=body)
    assert answer.status == status
    assert status == 422 or answer.body["data"]["lead_score"] == 8
