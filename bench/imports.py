"""Files of 10,000 and 100,000 leads into an embedded table and out of it again, as a user does it: `make bench-import`.

Each command is a process of its own, measured by what the system says of it at its end: CPU seconds and peak memory.
Write units are by AWS's rules, as the embedded table charges them.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from leadwire.store.database import Database
from leadwire.store.sqlite import SqliteEngine

from .leads import made_up

SIZES = (10_000, 100_000)
TENANT = "bench"
COLUMNS = (
    "First Name",
    "Last Name",
    "E-mail",
    "Mobile",
    "Lead Source",
    "Lead Status",
    "Tags",
    "Lead Score",
    "Comments",
)
PER_MIB = 1024
"""Of what Linux calls the largest resident set: KiB."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A command that ran to its end."""

    rows: int
    seconds: float
    cpu: float
    mib: float
    write_units: float | None

    def cells(self) -> list[str]:
        units = "" if self.write_units is None else f"{self.write_units / self.rows:.1f}"
        cpu = f"{1000 * self.cpu / self.rows:.2f}", f"{self.rows / self.cpu:,.0f}"
        return [f"{self.rows:,}", f"{self.seconds:.1f}", *cpu, units, f"{self.mib:.0f}"]


def written(path: Path, size: int) -> int:
    """A file as CRMs export it; says how many rows."""
    rows = 0
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for rows, lead in enumerate(made_up(size), start=1):  # noqa: B007  # the last one is the count
            own = [lead.first_name, lead.last_name, lead.email, lead.phone, lead.source, lead.status]
            table.writerow([*own, "; ".join(lead.tags), lead.score, f"Met at the fair, badge {lead.number}."])
    return rows


def run(data: Path, rows: int, words: Sequence[str]) -> tuple[Measured, Any]:
    """`leadwire …` as a process of its own, and its answer."""
    command = [sys.executable, "-c", "from cli.main import app; app()", "--data", str(data), *words, "--tenant", TENANT]
    start = time.monotonic()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, stdout=said)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
        if status:
            raise SystemExit(f"failed: leadwire {' '.join(words)}")
        said.seek(0)
        answer = said.read()
    found = json.loads(answer) if "--json" in words else {}
    cpu, mib = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / PER_MIB
    return Measured(rows, seconds, cpu, mib, found.get("write_units")), found


def measured(folder: Path, size: int) -> list[tuple[str, Measured]]:
    path = folder / "leads.csv"
    rows = written(path, size)
    SqliteEngine(Database(folder / "leadwire.db")).close()
    subprocess.run(
        [sys.executable, "-c", "from cli.main import app; app()", "--data", str(folder), "tenant", "create", TENANT],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    foretold, _ = run(folder, rows, ["import", str(path), "--dry-run", "--json"])
    first, found = run(folder, rows, ["import", str(path), "--json"])
    again, _ = run(folder, rows, ["import", str(path), "--json"])
    table, _ = run(folder, found["created"], ["export", str(folder / "out.csv")])
    lines, _ = run(folder, found["created"], ["export", str(folder / "out.jsonl")])
    undone, _ = run(folder, found["created"], ["import", "--undo", found["import"], "--json"])
    return [
        ("dry run", foretold),
        ("import", first),
        ("the same import again", again),
        ("export, CSV", table),
        ("export, JSON Lines", lines),
        ("undo", undone),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="rows of the files")
    grid = Table("", "rows", "seconds", "CPU ms/row", "rows per CPU second", "WRU/row", "peak MiB", box=None)
    for size in parser.parse_args().sizes:
        with tempfile.TemporaryDirectory() as folder:
            for name, one in measured(Path(folder), size):
                grid.add_row(name, *one.cells())
    Console(width=None if sys.stdout.isatty() else 120).print(grid)


if __name__ == "__main__":
    main()
