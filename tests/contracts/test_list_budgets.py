"""What lists cost at a hundred thousand leads stays within the bars that `make bench-lists` checks at a million."""

from __future__ import annotations

from pathlib import Path

from bench import costs
from bench.lists import Result, bars, crowded, lists_of

LARGE, SMALL = 100_000, 1_000


def test_no_list_and_no_write_passes_its_bar(tmp_path: Path) -> None:
    large, small = (costs.loaded(tmp_path / f"{size}.db", size, lambda _: None) for size in (LARGE, SMALL))
    with small.ports() as ports:
        smallest = lists_of(small, ports)["default page"]
    with large.ports() as ports:
        measured = lists_of(large, ports)
    upkeep = costs.upkeep(large)
    checked = bars(Result(LARGE, measured | crowded(large), {}, upkeep), smallest)
    by_capacity = [bar for bar in checked if not bar.name.endswith(" ms")]
    assert len(by_capacity) == len(checked) - 1
    assert {bar.name: (bar.value, bar.limit) for bar in by_capacity if not bar.holds} == {}
