"""What lists cost at 1,000 to 1,000,000 leads in one tenant, and what keeping their index costs: `make bench-lists`.

Read units (RRU), round trips that wait for one another, and milliseconds of this machine; the same for the two usual
ways on the same data. At the largest size the bars of the list engine are checked.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TimeElapsedColumn
from rich.table import Table

from leadwire.ports import Ports

from . import costs
from .costs import Bench, Cost

SIZES = (1_000, 10_000, 100_000, 1_000_000)
CROWDED = ("default page", "one filter", "search of 3 letters", "by last_name")
"""Lists that are measured again while leads wait to be indexed."""
ROUND = 1000
"""Read units that need no fraction."""
WIDE = 160
"""Characters of a line where no terminal says otherwise."""


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured at one size."""

    size: int
    lists: dict[str, Cost]
    usual: dict[str, Cost]
    upkeep: dict[str, float]


@dataclass(frozen=True, slots=True)
class Bar:
    """What a figure must not pass."""

    name: str
    value: float
    limit: float

    @property
    def holds(self) -> bool:
        return self.value <= self.limit


# --- the bars ---------------------------------------------------------------------------------------------------------


def bars(result: Result, smallest: Cost | None = None) -> list[Bar]:
    """Issue 3, line 4. `smallest` is the default page of the smallest tenant."""
    rru, default = {name: cost.rru for name, cost in result.lists.items()}, result.lists["default page"]
    sorts = max(cost for name, cost in rru.items() if name.startswith("by ") and "," not in name)
    return [
        Bar("default page, RRU", default.rru, 35),
        Bar("last full page, RRU, over the default page's", rru["last full page"] / default.rru, 1.2),
        Bar("middle page, RRU, over the default page's", rru["middle page"] / default.rru, 1.2),
        Bar("one filter, RRU", rru["one filter"], 50),
        Bar("three filters, RRU", rru["three filters"], 90),
        Bar("first page of any other sort, RRU", sorts, 450),
        Bar("search of 3 letters, the commonest, RRU", rru["search, the commonest"], 150),
        Bar("empty overlay, RRU", rru["empty overlay"], 1),
        Bar("default page, 1,000 pending, RRU", rru["default page, 1,000 pending"], 80),
        Bar("default page, ms", default.ms, 25),
        Bar("index of one new lead alone, WRU", result.upkeep["alone"], 20),
        Bar(f"index of each lead in an import of {costs.IMPORT:,}, WRU", result.upkeep["in an import"], 12),
        *([Bar("default page, RRU, over the smallest tenant's", default.rru / smallest.rru, 2)] if smallest else []),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="leads of the tenants, ascending")
    sizes, console = parser.parse_args().sizes, Console(width=None if sys.stdout.isatty() else WIDE)
    results = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            results.append(measured(size, loaded(console, Path(folder) / "table.db", size)))
    console.print(table(results))
    console.print(f"\nBars at {sizes[-1]:,} leads")
    for bar in bars(results[-1], results[0].lists["default page"]):
        console.print(
            f"{'pass' if bar.holds else 'FAIL'}  {bar.name}: {bar.value:,.4g} of {bar.limit:g}", highlight=False
        )


def loaded(console: Console, path: Path, size: int) -> Bench:
    columns = (SpinnerColumn(), *Progress.get_default_columns(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(f"loading {size:,} leads", total=size)
        return costs.loaded(path, size, lambda moved: progress.advance(task, moved))


def measured(size: int, bench: Bench) -> Result:
    with bench.ports() as ports:
        lists, usual = lists_of(bench, ports), costs.usual(bench, ports)
    upkeep = costs.upkeep(bench)
    return Result(size, lists | crowded(bench), usual, upkeep)


def lists_of(bench: Bench, ports: Ports) -> dict[str, Cost]:
    measured = {name: costs.measure(ports, bench.tenant, asked) for name, asked in costs.cases(bench).items()}
    return {**measured, "empty overlay": costs.overlay(ports, bench.tenant)}


def crowded(bench: Bench) -> dict[str, Cost]:
    """Lists while many leads are pending. They stay in the table, so it comes last."""
    asked, crowd = costs.cases(bench), f"{costs.PENDING:,} pending"
    with bench.ports() as ports:
        costs.crowd(ports, bench.tenant)
        return {f"{name}, {crowd}": costs.measure(ports, bench.tenant, asked[name]) for name in CROWDED}


def table(results: list[Result]) -> Table:
    grid = Table("RRU / round trips / ms", *(f"{result.size:,}" for result in results), box=None)
    for name in results[0].lists:
        grid.add_row(name, *(_shown(result.lists[name]) for result in results))
    for name in results[0].usual:
        grid.add_row(name, *(_shown(result.usual[name]) for result in results))
    for name in results[0].upkeep:
        grid.add_row(f"WRU of the index, a new lead {name}", *(f"{result.upkeep[name]:.1f}" for result in results))
    return grid


def _shown(cost: Cost) -> str:
    units = f"{cost.rru:,.0f}" if cost.rru >= ROUND else f"{cost.rru:g}"
    return f"{units} / {cost.trips} / {cost.ms:,.1f}"


if __name__ == "__main__":
    main()
