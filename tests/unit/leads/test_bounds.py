"""Date bounds are exact, also for leads of the same moment and of machines whose clocks disagree."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from leadwire import keys
from leadwire.context import Ctx
from leadwire.leads import bounds
from leadwire.leads.bitmap import of_numbers
from leadwire.store.database import MEMORY
from leadwire.store.types import Put
from tests import factories
from tests.factories import Clock

START = 1_800_000_000_000


@st.composite
def creations(draw: st.DrawFn) -> list[int]:
    """Times of leads 1, 2, 3 …: rising, but for clocks that are behind by up to `SKEW`."""
    steps = draw(st.lists(st.sampled_from((0, 0, 1, 900, 2000, 2001, 60_000)), min_size=1, max_size=30))
    at, times = START, []
    for step in steps:
        at += step
        times.append(at - draw(st.sampled_from((0, 0, 0, 1, 1999, bounds.SKEW))))
    return times


def stand(ctx: Ctx, times: Sequence[int]) -> None:
    """Put the leads into the order of creation; more than that is not looked at."""
    for number, at in enumerate(times, start=1):
        key = keys.lead(ctx.tenant.id, number)
        place = (keys.lead_sort(ctx.tenant.id, "created"), keys.lead_sort_value(f"{at:015d}", number))
        ctx.table.write(Put({"pk": key.pk, "sk": key.sk, **keys.indexed(g1=place)}))


@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(
    times=creations(), off=st.sampled_from((-2001, -1, 0, 1, 2000, 100_000, -(10**13), 10**14)), at=st.integers(0, 29)
)
@example(times=[START] * 5, off=0, at=0)
@example(times=[START + 1999, START, START + 2000], off=0, at=1)
def test_bounds_split_the_leads_at_the_moment(times: list[int], off: int, at: int) -> None:
    bound = times[at % len(times)] + off
    with factories.engine(MEMORY, Clock()) as engine:
        ports = factories.ports(engine, Clock())
        ctx = factories.ctx(ports, factories.tenant(ports, "acme"))
        stand(ctx, times)
        numbers = of_numbers(range(1, len(times) + 1))
        created = dict(enumerate(times, start=1))
        assert set(bounds.after(ctx, numbers, bound)) == {n for n, at in created.items() if at > bound}
        assert set(bounds.before(ctx, numbers, bound)) == {n for n, at in created.items() if at < bound}


def test_without_leads_nothing_is_before_or_after_a_moment(ctx: Ctx) -> None:
    numbers = of_numbers([])
    assert [len(bounds.after(ctx, numbers, START)), len(bounds.before(ctx, numbers, START))] == [0, 0]
