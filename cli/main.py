"""`leadwire …`: the commands of operators. Exit codes: 1 Leadwire refused, 2 the command or its target is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import exports, imports, index, keys, tenants, webhooks
from .target import DATA, Target

app = typer.Typer(
    name="leadwire",
    help="Operate a Leadwire: the embedded one in this directory, or (with --stack) a deployed one.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(tenants.app, name="tenant")
app.add_typer(keys.app, name="key")
app.add_typer(webhooks.app, name="webhook")
app.add_typer(index.app, name="index")
app.command("import")(imports.import_)
app.command()(exports.export)


@app.callback()
def choose(
    context: typer.Context,
    data: Annotated[Path, typer.Option(help="Directory of the embedded Leadwire's data.")] = DATA,
    stack: Annotated[str | None, typer.Option(help="Name of a deployed CloudFormation stack instead.")] = None,
    profile: Annotated[str | None, typer.Option(help="AWS profile, for --stack.")] = None,
    region: Annotated[str | None, typer.Option(help="AWS region, for --stack.")] = None,
) -> None:
    context.obj = Target(data, stack, profile, region)
