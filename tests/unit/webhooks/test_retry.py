from __future__ import annotations

import random
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadwire.webhooks import retry
from leadwire.webhooks.model import Outcome
from leadwire.webhooks.retry import SCHEDULES, Disable, Done, GiveUp, RetryAt, next_step

NOW = 1_795_000_000_000
OUTCOMES = st.builds(
    Outcome,
    kind=st.sampled_from(["answered", "timeout", "unreachable", "refused"]),
    ms=st.integers(0, 10_000),
    status=st.integers(100, 599),
    retry_after=st.one_of(st.text(max_size=40), st.integers(0, 10**9).map(str)),
    directive=st.sampled_from(["", "disable", "abort-message", "nonsense"]),
)


class Middle(random.Random):
    """Jitter that changes nothing, so that exact times can be told."""

    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2


def answered(status: int, **more: str) -> Outcome:
    return Outcome(kind="answered", ms=5, status=status, **more)  # type: ignore[arg-type]  # texts only


def step(outcome: Outcome, attempt: int = 1, schedule: str = "long", scale: float = 1.0) -> retry.Step:
    return next_step(outcome, attempt, SCHEDULES[schedule], NOW, Middle(), scale)


def seconds(found: retry.Step) -> float:
    assert isinstance(found, RetryAt)
    return (found.at - NOW) / 1000


def test_the_long_schedule_makes_ten_attempts_over_more_than_75_hours() -> None:
    assert len(SCHEDULES["long"]) + 1 == 10
    assert sum(SCHEDULES["long"]) == 75 * 3600 + 35 * 60 + 5


def test_the_published_schedules_are_as_published() -> None:
    assert SCHEDULES["short"] == (60, 300, 900, 3600)
    assert len(SCHEDULES["v1"]) == 3
    assert retry.doubling(4, 0.1) == pytest.approx((0.1, 0.2, 0.4, 0.8))


@pytest.mark.parametrize("attempt", range(1, 10))
def test_each_failure_waits_for_its_step(attempt: int) -> None:
    assert seconds(step(answered(500), attempt)) == SCHEDULES["long"][attempt - 1]


def test_waits_are_spread_over_twenty_percent_either_way() -> None:
    rng = random.Random(1)
    waited = [seconds(next_step(answered(500), 2, SCHEDULES["long"], NOW, rng, 1.0)) / 300 for _ in range(500)]
    assert 0.8 <= min(waited) < 0.82
    assert 1.18 < max(waited) <= 1.2


def test_after_the_last_step_it_gives_up() -> None:
    assert step(answered(500), 10) == GiveUp()


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_every_2xx_is_a_success(status: int) -> None:
    assert step(answered(status)) == Done()


@pytest.mark.parametrize("status", [300, 301, 302, 307, 308, 400, 404, 500, 503])
def test_everything_else_is_tried_again(status: int) -> None:
    assert isinstance(step(answered(status)), RetryAt)


def test_gone_disables() -> None:
    assert step(answered(410)) == Disable(delivered=False)


def test_the_receiver_may_take_a_message_and_want_no_more() -> None:
    assert step(answered(200, directive="disable")) == Disable(delivered=True)


def test_the_receiver_may_refuse_one_message_for_good() -> None:
    assert step(answered(500, directive="abort-message")) == GiveUp()
    assert step(answered(200, directive="abort-message")) == Done()


def test_a_timeout_and_a_429_leave_the_receiver_alone_for_a_minute() -> None:
    assert seconds(step(Outcome(kind="timeout", ms=10_000))) == 60
    assert seconds(step(answered(429))) == 60
    assert seconds(step(answered(500))) == 5


@pytest.mark.parametrize(("asked", "waited"), [("1", 300), ("450", 450), ("86400", 600), ("99999999999999999", 600)])
def test_retry_after_is_honoured_between_once_and_twice_the_step(asked: str, waited: float) -> None:
    assert seconds(step(answered(503, retry_after=asked), attempt=2)) == waited


def test_retry_after_may_be_a_date() -> None:
    date = format_datetime(datetime.fromtimestamp(NOW / 1000 + 400, UTC), usegmt=True)
    assert seconds(step(answered(503, retry_after=date), attempt=2)) == pytest.approx(400, abs=1)


DATES = st.builds(
    "Mon, {} Jan {} {}:00:00 {}".format,
    st.integers(0, 10**20),
    st.integers(-1, 10**20),
    st.integers(0, 10**20),
    st.sampled_from(["GMT", "", "-0000", "+2359", "+9999", "+99999999999999", "-" + "9" * 20]),
)
"""Like dates, some beyond what any calendar or machine word holds."""


@pytest.mark.parametrize(
    "nonsense",
    [
        "",
        "soon",
        "-5",
        "1.5",
        "٣",
        "Wed, 99 Foo 2026 00:00:00 GMT",
        "Thu, 01 Jan 99999999999999999999 00:00:00 GMT",
        "Thu, 01 Jan 2026 00:00:00 +99999999999999",
        "\x00",
        "1e9",
    ],
)
def test_a_retry_after_that_is_neither_form_changes_nothing(nonsense: str) -> None:
    assert seconds(step(answered(503, retry_after=nonsense), attempt=2)) == 300


def test_the_scale_shortens_every_wait() -> None:
    assert seconds(step(answered(500), attempt=2, scale=0.001)) == pytest.approx(0.3)
    assert seconds(step(answered(429), scale=0.001)) == pytest.approx(0.06)


@given(OUTCOMES, st.integers(1, 12), st.sampled_from(sorted(SCHEDULES)), st.randoms(use_true_random=False))
def test_a_wait_is_never_shorter_or_longer_than_the_rules_allow(
    outcome: Outcome, attempt: int, schedule: str, rng: random.Random
) -> None:
    waits = SCHEDULES[schedule]
    found = next_step(outcome, attempt, waits, NOW, rng, 1.0)
    if not isinstance(found, RetryAt):
        return
    planned = waits[attempt - 1]
    waited = (found.at - NOW) / 1000
    assert not outcome.delivered
    assert 0.8 * planned - 0.001 <= waited <= max(2 * planned, 60) + 0.001
    if outcome.kind == "timeout" or outcome.status == 429:
        assert waited >= 60


@given(OUTCOMES, st.sampled_from(sorted(SCHEDULES)), st.randoms(use_true_random=False))
def test_every_schedule_comes_to_an_end(outcome: Outcome, schedule: str, rng: random.Random) -> None:
    waits = SCHEDULES[schedule]
    steps = [next_step(outcome, attempt, waits, NOW, rng, 1.0) for attempt in range(1, len(waits) + 2)]
    assert not isinstance(steps[-1], RetryAt)


@given(st.text(max_size=60) | DATES)
def test_no_header_can_break_the_parser(text: str) -> None:
    assert retry.retry_after(text, NOW) is None or isinstance(retry.retry_after(text, NOW), float)
