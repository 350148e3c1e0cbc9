"""`leadwire import`: a file of leads into a tenant: exact for each row, taken up again after whatever end, undone."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from leadwire.context import Ctx, iso
from leadwire.leads.files import intake, log, undo
from leadwire.leads.files.log import FileImport
from leadwire.leads.files.rows import Duplicates

from . import preview, show
from .bar import bar
from .files import names, plan, refused, rows
from .files.plan import Plan, Wanted
from .files.source import Format, WrongFile
from .session import REFUSED, OfTenant, connected, files, tenant_ctx
from .show import AsJson

SHOWN = 20
"""Numbers of leads for people; --json has all of them."""


def canonical_status(text: str) -> str:
    """For options. Raises BadParameter."""
    try:
        return rows.canonical_status(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def import_(
    context: typer.Context,
    tenant: OfTenant,
    file: Annotated[Path | None, typer.Argument(help="CSV or JSON Lines. Without it: the imports there are.")] = None,
    mapped: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="COLUMN=FIELD", help="Work phone=phone, X=custom.y, X=- to ignore it. Repeat it."
        ),
    ] = None,
    duplicates: Annotated[
        Duplicates, typer.Option(help="Rows whose e-mail or phone is known: merge, skip, or keep as flagged leads.")
    ] = "merge",
    into: Annotated[str, typer.Option("--list", help="Name or id of a list for all; made if it is not there.")] = "",
    tag: Annotated[list[str] | None, typer.Option(help="A tag for all. Repeat it.")] = None,
    status: Annotated[str, typer.Option(parser=canonical_status, help="For rows without one.")] = "new",
    source: Annotated[str, typer.Option(help="For rows without one.")] = rows.SOURCE,
    encoding: Annotated[str, typer.Option(help="Such as cp1252.")] = "utf-8",
    kind: Annotated[
        Format | None, typer.Option("--format", help="csv or jsonl.", show_default="by the extension, or csv")
    ] = None,
    errors: Annotated[
        Path | None, typer.Option(help="Where refused rows go.", show_default="FILE.errors.csv beside it")
    ] = None,
    undo_: Annotated[str, typer.Option("--undo", metavar="ID", help="Remove the leads that this import made.")] = "",
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and look up everything, write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Load a file of leads. After an interruption, the same command resumes where it stopped.

    Each lead is an event like any other: webhooks fire, automations start.
    """
    own = Wanted(
        mapped=mapped or (), duplicates=duplicates, into=into, tags=tag or (), status=status, source=source,
        encoding=encoding, format=kind,
    )  # fmt: skip
    with files():
        if undo_:
            _undo(context, tenant, undo_, as_json=as_json)
        elif file is None:
            _every(context, tenant, as_json=as_json)
        elif dry_run:
            _foretell(context, tenant, plan.made(file, own), as_json=as_json)
        else:
            _import(context, tenant, plan.made(file, own), _errors(file, errors), as_json=as_json)


# --- what it does -----------------------------------------------------------------------------------------------------


def _import(context: typer.Context, tenant: str, wanted: Plan, errors: Path, *, as_json: bool) -> None:
    with connected(context) as ports:
        ctx = tenant_ctx(ports, tenant)
        before = _begun(ctx, wanted)
        ctx = replace(ctx, request_id=before.id)
        start = time.monotonic()
        after = before if before.state == "done" else _run(ctx, before, wanted)
        seconds = time.monotonic() - start
        if after.refused and not (before.state == "done" and errors.exists()):
            refused.write(errors, wanted.file, log.refusals(ctx, after))
        wru = ctx.table.meter.consumed.wru
    pace = {"seconds": round(seconds, 1), "rows_per_second": round((after.settled - before.settled) / seconds)}
    found = {**_row(after), "errors": str(errors) if after.refused else None, **pace, "write_units": wru}
    show.record(found, as_json=as_json)
    if not as_json:
        show.say(_next(tenant, before, after, errors))
    if after.refused:
        raise typer.Exit(REFUSED)


def _errors(file: Path, errors: Path | None) -> Path:
    """Where the refused rows go. Raises WrongFile."""
    if errors and errors.exists() and errors.samefile(file):
        raise WrongFile(f"--errors {errors} is the file itself.")
    return errors or refused.beside(file)


def _begun(ctx: Ctx, wanted: Plan) -> FileImport:
    """The import of this file as it stands; a new one if there is none, or if the last one was undone."""
    for generation in itertools.count(1):
        id_ = plan.import_id(ctx, wanted, generation)
        one = log.begin(ctx, id_, wanted.file.path.name, wanted.scan.records)
        if one.state != "undone":
            break
    if one.state == "running" and one.position:
        show.note(f"Resuming after row {one.position:,}.")
    return one


def _run(ctx: Ctx, one: FileImport, wanted: Plan) -> FileImport:
    settled = one.settled
    with bar(one.name, one.rows, settled) as moved:

        def told(after: FileImport) -> None:
            nonlocal settled
            moved(after.settled - settled)
            settled = after.settled

        rows_ = wanted.rows(names.read(ctx), one.position)
        try:
            return intake.run(ctx, one, rows_, wanted.wanted.duplicates, told)
        except KeyboardInterrupt:
            show.note("Stopped. The same command resumes here.")
            raise


def _foretell(context: typer.Context, tenant: str, wanted: Plan, *, as_json: bool) -> None:
    with connected(context) as ports:
        found = preview.run(tenant_ctx(ports, tenant), wanted)
    if as_json:
        show.record(found, as_json=True)
    else:
        preview.show_it(found)
    if found["refused"]:
        raise typer.Exit(REFUSED)


def _undo(context: typer.Context, tenant: str, import_id: str, *, as_json: bool) -> None:
    with connected(context) as ports:
        ctx = replace(tenant_ctx(ports, tenant), request_id=import_id)
        one = log.find(ctx, import_id)
        with bar(f"undoing {one.name}", one.created) as moved:
            undone = undo.run(ctx, one, moved)
        wru = ctx.table.meter.consumed.wru
    counts = {"import": import_id, "removed": undone.removed, "gone_before": undone.gone}
    left = {"left_as_changed_since": undone.changed, "left_as_merged_into": undone.merged}
    shown = {name: ids if as_json else _short(ids) for name, ids in left.items()}
    show.record({**counts, **shown, "write_units": wru}, as_json=as_json)


def _every(context: typer.Context, tenant: str, *, as_json: bool) -> None:
    with connected(context) as ports:
        found = [_row(one) for one in log.every(tenant_ctx(ports, tenant))]
    show.records(found, as_json=as_json, none=f"No import yet. Begin one: leadwire import FILE --tenant {tenant}")


# --- what it says -----------------------------------------------------------------------------------------------------


def _row(one: FileImport) -> dict[str, Any]:
    counts = {name: getattr(one, name) for name in ("rows", "created", "merged", "skipped", "refused")}
    return {"import": one.id, "file": one.name, "state": one.state, "began": iso(one.created_at), **counts}


def _next(tenant: str, before: FileImport, after: FileImport, errors: Path) -> str:
    lines = ["This file was imported before; nothing was done."] if before.state == "done" else []
    lines += [f"Correct {errors} and import it with the same options."] if after.refused else []
    lines += [f"Undo it within 30 days: leadwire import --tenant {tenant} --undo {after.id}"]
    return "\n".join(lines)


def _short(numbers: list[int]) -> str:
    if not numbers:
        return "none"
    more = f" and {len(numbers) - SHOWN:,} more" if len(numbers) > SHOWN else ""
    return f"{', '.join(map(str, numbers[:SHOWN]))}{more}"
