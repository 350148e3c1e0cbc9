"""When a delay ends. Pure: local times of the tenant, whose clocks change twice a year (zoneinfo, PEP 495).

amount, unit   days are calendar days at the same local time, hours and minutes are what they are everywhere
until 09:00    the next time that the tenant's clocks show it
business hours the first moment from then on that is within them
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from leadwire.tenants import Hours

SATURDAY = 5


def ends(config: Mapping[str, Any], now_ms: int, hours: Hours, *, within_hours: bool) -> int:
    """Epoch milliseconds."""
    zone = ZoneInfo(hours.timezone)
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    end = _until(now, config["until"], zone) if "until" in config else _after(now, config, zone)
    return int((_open(end, hours, zone) if within_hours else end).timestamp() * 1000)


def span(config: Mapping[str, Any]) -> timedelta:
    """An amount of minutes, hours or days."""
    return timedelta(**{config["unit"]: config["amount"]})


def _after(now: datetime, config: Mapping[str, Any], zone: ZoneInfo) -> datetime:
    if config["unit"] != "days":
        return now + span(config)
    return _real(now.astimezone(zone).replace(tzinfo=None) + span(config), zone)


def _until(now: datetime, clock: str, zone: ZoneInfo) -> datetime:
    """In the night in which an hour comes twice, clocks show its times twice (fold)."""
    local = datetime.combine(now.astimezone(zone).date(), time.fromisoformat(clock))
    today = (_real(local.replace(fold=fold), zone) for fold in (0, 1))
    return next((moment for moment in today if moment > now), _real(local + timedelta(days=1), zone))


def _open(moment: datetime, hours: Hours, zone: ZoneInfo) -> datetime:
    local = moment.astimezone(zone)
    opens, closes = time.fromisoformat(hours.opens), time.fromisoformat(hours.closes)
    for days in range(4):
        day = local.date() + timedelta(days=days)
        begin, end = (_real(datetime.combine(day, at), zone) for at in (opens, closes))
        if day.weekday() < SATURDAY and moment < end:
            return max(moment, begin)
    return moment


def _real(local: datetime, zone: ZoneInfo) -> datetime:
    """A local time as a moment. One that the clocks skip is as far behind the gap as it would be in it."""
    return local.replace(tzinfo=zone).astimezone(UTC)
