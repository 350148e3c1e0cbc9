"""Where `leadwire` begins: a Ctrl-C while Python is still loading it is no crash."""

from __future__ import annotations

import sys

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


def main() -> None:
    try:
        from .main import app  # noqa: PLC0415  # takes a second
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    app()


if __name__ == "__main__":
    main()
