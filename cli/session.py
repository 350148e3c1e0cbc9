"""One command's connection to its Leadwire: opened, closed, and every refusal turned into a sentence and a code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from leadwire import tenants
from leadwire.context import Ctx
from leadwire.errors import LeadwireError, NotFound
from leadwire.ports import Ports
from leadwire.store.types import StoreError

from . import show
from .files.source import WrongFile
from .target import Target, Unreachable

OfTenant = Annotated[str, typer.Option("--tenant", metavar="SLUG", help="Slug of the tenant.")]

REFUSED, WRONG = 1, 2

LONGEST_NAME = 255
MOST_CALLS = 10**9
"""In a window."""

NEXT = {
    "webhook": "`leadwire webhook tail --tenant …` shows the ids of webhooks.",
    "delivery": "`leadwire webhook tail --tenant … --json` shows the ids of deliveries.",
    "tenant": "`leadwire tenant list` shows the tenants there are.",
    "import": "`leadwire import --tenant …` shows the ids of a tenant's imports.",
    "list": "Lists are called by their names or ids; the lists API shows them.",
    "api key": "`leadwire key list --tenant …` shows the ids of a tenant's keys.",
}
"""Kind of record that was not found to what helps."""


def named(text: str) -> str:
    """A name of a tenant or a key, for options. Raises BadParameter."""
    line = " ".join(text.split())
    if not (line and line.isprintable() and len(line) <= LONGEST_NAME):
        raise typer.BadParameter(f"must be a line of 1 to {LONGEST_NAME} characters")
    return line


@contextmanager
def connected(context: typer.Context, *, sending: bool = False) -> Iterator[Ports]:
    """The ports of the target that the options before the command name; `sending` for commands that send messages."""
    target: Target = context.obj
    try:
        with target.ports(sending=sending) as ports:
            yield ports
    except LeadwireError as error:
        hint = NEXT.get(error.kind, "") if isinstance(error, NotFound) else ""
        raise _failed(f"{error.message}. {hint}".rstrip(), REFUSED) from error
    except StoreError as error:
        raise _failed(f"The table did not answer ({error}). Try again.", REFUSED) from error
    except Unreachable as error:
        raise _failed(str(error), WRONG) from error
    except target.failures() as error:
        raise _failed(f"AWS: {str(error).rstrip('.')}. Check --stack, --profile and --region.", WRONG) from error


@contextmanager
def files() -> Iterator[None]:
    """What is wrong with a file is a sentence, and the command's own fault."""
    try:
        yield
    except WrongFile as error:
        raise _failed(str(error), WRONG) from error
    except BrokenPipeError:
        raise  # whoever reads the answer has enough of it
    except OSError as error:
        raise _failed(f"{error.filename}: {error.strerror}.", WRONG) from error


def tenant_ctx(ports: Ports, slug: str) -> Ctx:
    """A Ctx for an operator's action on this tenant. Raises NotFound."""
    return tenants.operate(ports, tenants.by_slug(ports, slug), "cli")


def _failed(text: str, code: int) -> typer.Exit:
    show.complain(text)
    return typer.Exit(code)
