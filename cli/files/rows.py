"""A record of a file as the lead that it would make, or everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from leadwire.dialects.contacts import AnyPhone, Email
from leadwire.dialects.fields import Line, OpenMap, Tag, Text
from leadwire.edge import strict
from leadwire.leads import model
from leadwire.leads.files.log import Refusal
from leadwire.leads.files.rows import MOST_REQUIRED, Row
from leadwire.leads.model import STATUSES, Lead

from . import cells, columns
from .columns import CUSTOM
from .names import Names, Unknown
from .source import Format, Record, WrongFile

ADDRESS = ("address1", "address2", "city", "state", "zip", "country")
SEVERAL = frozenset({"tags", "lists"})
VERBATIM = frozenset({"notes", CUSTOM})
"""Fields whose blanks count."""
WORDS = {columns.plain(status): status for status in STATUSES} | {"won": "converted"}
"""Spellings of statuses to ours."""
SOURCE = "import"
OPTIONS = {"lists": "list", "tags": "tag"}
"""Fields to the options that give them, if these are not called alike."""


@dataclass(frozen=True, slots=True)
class Defaults:
    """What every row gets beside its own: lists and tags are added, status and source fill in."""

    lists: Sequence[str] = ()
    tags: Sequence[str] = ()
    status: str = "new"
    source: str = SOURCE


def canonical_status(text: str) -> str:
    """Raises ValueError for what is no status."""
    found = WORDS.get(columns.plain(text))
    if found is None:
        raise ValueError(f"must be one of {', '.join(STATUSES)}")
    return found


class FileRow(BaseModel):
    """The fields of one record; what is empty is left out before."""

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)

    name: Line = ""
    first_name: Line = ""
    last_name: Line = ""
    email: Email = ""
    phone: AnyPhone = AnyPhone("", "")
    company: Line = ""
    job_title: Line = ""
    source: Line = ""
    status: Annotated[str, AfterValidator(canonical_status)] = ""
    score: Annotated[int, Field(ge=-(10**9), le=10**9)] = 0
    starred: bool = False
    notes: Text = ""
    tags: list[Tag] = Field(default_factory=list)
    lists: Annotated[list[Line], Field(max_length=MOST_REQUIRED - 3)] = Field(default_factory=list)
    pipeline: Line = ""
    stage: Line = ""
    assigned_to: Line = ""
    address1: Line = ""
    address2: Line = ""
    city: Line = ""
    state: Line = ""
    zip: Line = ""
    country: Line = ""
    custom: OpenMap = Field(default_factory=dict)


def for_all(into: str, tags: Sequence[str], status: str, source: str) -> FileRow:
    """What the options of a command give every row. Raises WrongFile for what no lead may have."""
    try:
        return FileRow.model_validate({"lists": [into], "tags": [*tags], "status": status, "source": source})
    except ValidationError as error:
        [problem, *_] = strict.invalid(FileRow, error.errors(include_url=False, include_context=True)).errors
        option = problem.path.partition(".")[0]
        raise WrongFile(f"--{OPTIONS.get(option, option)} {problem.message}.") from error


def defaults(row: FileRow, names: Names) -> Defaults:
    """The same with the list that is meant, which is made if it is not there."""
    return Defaults([*map(names.list_id, filter(None, row.lists))], row.tags, row.status, row.source)


def read(
    records: Iterable[Record], targets: Mapping[str, str], format_: Format, names: Names, defaults: Defaults
) -> Iterator[Row | Refusal]:
    """`targets`: column to field."""
    for record in records:
        if record.problem:
            yield Refusal(record.number, "", record.problem)
            continue
        values = _from_cells(record.values, targets) if format_ == "csv" else _from_object(record.values, targets)
        yield _row(record.number, values, names, defaults)


def _row(number: int, values: Mapping[str, Any], names: Names, defaults: Defaults) -> Row | Refusal:
    try:
        row = FileRow.model_validate(values, context=names.ctx.tenant)
    except ValidationError as error:
        problems = strict.invalid(FileRow, error.errors(include_url=False, include_context=True)).errors
        paths = dict.fromkeys(problem.path.partition(".")[0] for problem in problems)
        messages = dict.fromkeys(f"{problem.path} {problem.message}".strip() for problem in problems)
        return Refusal(number, "; ".join(paths), "; ".join(messages))
    if not (row.name or row.first_name or row.last_name or row.email or row.phone.e164):
        return Refusal(number, "", "has no name, e-mail address or phone")
    try:
        lead = _placed(row, _draft(row, names, defaults), names)
    except Unknown as error:
        return Refusal(number, "assigned_to" if row.assigned_to else "stage", str(error))
    return Row(number, lead, names.requirements(lead))


# --- into fields ------------------------------------------------------------------------------------------------------


def _from_cells(values: Mapping[str, str], targets: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for column, target in targets.items():
        text = cells.plain(values[column])
        field, _, name = target.partition(".")
        if field not in VERBATIM:
            text = text.strip()
        if not text:
            continue
        if field == CUSTOM:
            found.setdefault(CUSTOM, {})[name] = text
        else:
            found[field] = cells.parted(text) if field in SEVERAL else text
    return found


def _from_object(values: Mapping[str, Any], targets: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for column, target in targets.items():
        value = values.get(column)
        if value in (None, "", [], {}):
            continue
        field, _, name = target.partition(".")
        if field != CUSTOM:
            found[field] = cells.parted(value) if field in SEVERAL and isinstance(value, str) else value
        elif name:
            found[CUSTOM] = {**found.get(CUSTOM, {}), name: value}
        else:
            found[CUSTOM] = {**value, **found.get(CUSTOM, {})} if isinstance(value, dict) else value
    return found


# --- into a lead ------------------------------------------------------------------------------------------------------


def _draft(row: FileRow, names: Names, defaults: Defaults) -> Lead:
    first_name, last_name = model.split_name(row.name) if row.name else (row.first_name, row.last_name)
    address = {name: getattr(row, name) for name in ADDRESS if getattr(row, name)}
    return Lead(
        first_name=first_name,
        last_name=last_name,
        email=row.email,
        phone=row.phone.e164,
        company=row.company,
        job_title=row.job_title,
        source=row.source or defaults.source,
        status=row.status or defaults.status,
        score=row.score,
        starred=row.starred,
        notes=row.notes,
        tags=model.with_tags(tuple(row.tags), tuple(defaults.tags)),
        lists=model.with_tags(tuple(map(names.list_id, filter(None, row.lists))), tuple(defaults.lists)),
        address=address,
        custom=row.custom,
    )


def _placed(row: FileRow, lead: Lead, names: Names) -> Lead:
    """In its stage, whose status counts if the row has none. Raises Unknown."""
    if row.pipeline or row.stage:
        pipeline_id, stage = names.stage(row.pipeline, row.stage)
        status_ = row.status or (stage and stage.status) or lead.status
        lead = replace(lead, pipeline_id=pipeline_id, stage_id=stage.id if stage else None, status=status_)
    return replace(lead, assigned_user_id=names.user(row.assigned_to)) if row.assigned_to else lead
