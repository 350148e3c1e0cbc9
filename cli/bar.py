"""A progress bar on stderr, with rows a second and the time that is left; nothing where nobody looks at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def bar(what: str, total: int, done: int = 0) -> Iterator[Callable[[int], None]]:
    """Hands out what moves the bar on by so many; `done` were there before."""
    texts = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[pace]}")
    console = Console(stderr=True)
    with Progress(*texts, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=total, completed=done, pace="")

        def moved(count: int) -> None:
            speed = progress.tasks[0].speed
            progress.update(task, advance=count, pace=f"{speed:,.0f}/s" if speed else "")

        yield moved
