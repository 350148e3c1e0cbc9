"""When delays end, on clocks that change twice a year."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from leadwire.automations import delays
from leadwire.tenants import Hours

BERLIN = Hours("Europe/Berlin", "09:00", "17:00")


def end(now: str, *, within: bool = False, **config: Any) -> str:
    """Both in Berlin's local time."""
    zone = ZoneInfo(BERLIN.timezone)
    start = datetime.fromisoformat(now).replace(tzinfo=zone).timestamp()
    ms = delays.ends(config, int(start * 1000), BERLIN, within_hours=within)
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(zone).replace(tzinfo=None).isoformat(timespec="minutes")


@pytest.mark.parametrize(
    ("now", "config", "expected"),
    [
        ("2026-03-28T12:00", {"amount": 1, "unit": "days"}, "2026-03-29T12:00"),
        ("2026-03-28T12:00", {"amount": 24, "unit": "hours"}, "2026-03-29T13:00"),
        ("2026-10-24T12:00", {"amount": 1, "unit": "days"}, "2026-10-25T12:00"),
        ("2026-10-24T12:00", {"amount": 24, "unit": "hours"}, "2026-10-25T11:00"),
        ("2026-03-28T02:30", {"amount": 1, "unit": "days"}, "2026-03-29T03:30"),
        ("2026-11-20T08:59", {"until": "09:00"}, "2026-11-20T09:00"),
        ("2026-11-20T09:00", {"until": "09:00"}, "2026-11-21T09:00"),
        ("2026-03-28T09:30", {"until": "02:30"}, "2026-03-29T03:30"),
        ("2026-10-25T02:40", {"until": "02:30"}, "2026-10-25T02:30"),
        ("2026-10-25T02:10", {"until": "02:30"}, "2026-10-25T02:30"),
        ("2026-10-25T03:10", {"until": "02:30"}, "2026-10-26T02:30"),
        ("2026-03-29T03:40", {"until": "02:30"}, "2026-03-30T02:30"),
        ("2026-11-20T12:00", {"amount": 365, "unit": "days"}, "2027-11-20T12:00"),
    ],
)
def test_a_delay_keeps_local_time_where_it_says_so(now: str, config: dict[str, Any], expected: str) -> None:
    assert end(now, **config) == expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-20T11:00", "2026-11-20T12:00"),
        ("2026-11-20T07:00", "2026-11-20T09:00"),
        ("2026-11-20T16:00", "2026-11-23T09:00"),
        ("2026-11-20T16:30", "2026-11-23T09:00"),
        ("2026-11-21T10:00", "2026-11-23T09:00"),
        ("2026-11-22T23:30", "2026-11-23T09:00"),
        ("2026-11-19T23:30", "2026-11-20T09:00"),
    ],
)
def test_with_business_hours_it_ends_within_them(now: str, expected: str) -> None:
    """Friday is 2026-11-20; closing time is outside."""
    assert end(now, within=True, amount=1, unit="hours") == expected
