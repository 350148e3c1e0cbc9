"""`python -m local serve` starts the embedded cloud, `python -m local stop` ends it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local", description="Leadwire on this machine, without a cloud")
    parser.add_argument("verb", choices=["serve", "stop", "work"], help="`work` is for `serve`, which begins it")
    parser.add_argument("--home", type=Path, help="folder of the data (.leadwire)")
    arguments = parser.parse_args()
    try:
        return _run(arguments.verb, arguments.home)
    except KeyboardInterrupt:  # before the server runs; then it ends by itself
        return INTERRUPTED


def _run(verb: str, home: Path | None) -> int:
    from . import server  # noqa: PLC0415  # so that --help is quick

    home = (home or server.HOME).resolve()
    if verb == "stop":
        print("stopped" if server.stop(home) else "nothing was running")
        return 0
    if verb == "work":
        server.work(home)
    try:
        server.serve(home)
    except server.NotStarted as reason:
        print(reason, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
