"""Forms in the crm dialect, and what people send with them: JSON, or a browser's form post."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, ClassVar, Literal, Self, TypedDict, cast

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic.config import JsonDict

from leadwire import records
from leadwire.context import Ctx, Tenant
from leadwire.dialects.fields import FilledLine, Line, published
from leadwire.edge.types import Body, Dialect, Reply, Request, Route
from leadwire.errors import Conflict
from leadwire.forms import service
from leadwire.forms.model import TYPES, Form
from leadwire.forms.service import Counted, Submitted
from leadwire.leads import model, placement

from . import errors, paging
from .paging import Page, Paged, PageQuery
from .parts import CHANGES, GONE, NUMBERED, Count, Number, One, Time, no_content, number, page, sent, times
from .shapes import Id, Tags

Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$")]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
Url = Annotated[str, StringConstraints(pattern=r"^https?://\S+$", max_length=1000)]


SELECT: JsonDict = {
    "if": {"properties": {"type": {"const": "select"}}, "required": ["type"]},
    "then": {"properties": {"options": {"minItems": 1}}, "required": ["options"]},
}


class FormField(Body):
    model_config = ConfigDict(json_schema_extra=SELECT)

    key: Key
    label: Line = ""
    type: Literal["text", "email", "phone", "number", "select", "checkbox", "textarea", "date", "hidden"] = "text"
    required: bool = False
    options: Annotated[list[FilledLine], Field(max_length=200)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _options_to_select_from(self) -> Self:
        if self.type == "select" and not self.options:
            raise ValueError("needs options to select from")
        return self


def _distinct(fields: list[FormField]) -> list[FormField]:
    double = [key for key, times in Counter(field.key for field in fields).items() if times > 1]
    if double:
        raise ValueError(f"has several fields with the key {double[0]}")
    return fields


Fields = Annotated[list[FormField], Field(max_length=50), AfterValidator(_distinct)]


class CreateForm(Body):
    """`POST /api/v1/forms`."""

    name: FilledLine
    slug: Slug | None = None
    fields: Fields = Field(default_factory=list)
    pipeline_id: Id | None = None
    pipeline_stage_id: Id | None = None
    tags: Tags | None = None
    assigned_user_id: Id | None = None
    redirect_url: Url | None = None
    honeypot_field: Key | None = None
    is_active: bool = True


class UpdateForm(CreateForm):
    """`PUT` and `PATCH /api/v1/forms/{id}`: both change only what is sent, and null clears what is optional."""

    model_config = CHANGES

    name: FilledLine = ""
    slug: Slug = ""


class Submission(Body):
    """`POST /api/v1/forms/{id}/submissions`: the values by the keys of the fields (an open map)."""

    model_config = ConfigDict(extra="allow")
    takes_forms: ClassVar[bool] = True

    @property
    def values(self) -> dict[str, Any]:
        return self.model_extra or {}

    @model_validator(mode="after")
    def _no_larger_than_an_open_map(self) -> Self:
        problem = model.open_map_problem(self.values)
        if problem:
            raise ValueError(problem)
        return self


class ShownField(TypedDict):
    key: str
    label: str
    type: Annotated[str, published(enum=[*TYPES])]
    required: bool
    options: list[str]


class FormRecord(TypedDict):
    id: Number
    name: str
    slug: str
    fields: list[ShownField]
    pipeline_id: Number | None
    pipeline_stage_id: Number | None
    tags: list[str]
    assigned_user_id: Number | None
    redirect_url: str | None
    honeypot_field: str | None
    is_active: bool
    submission_count: Count
    created_at: Time
    updated_at: Time


class Accepted(TypedDict):
    submission_id: Annotated[str, published(pattern="^sub_[0-9a-z]{26}$")]
    lead_id: Annotated[Number | None, Field(description="null for what only a machine fills in")]
    is_duplicate: bool


def every(ctx: Ctx, request: Request) -> Paged[Counted]:
    found = page(request, service.every(ctx))
    return Paged(service.counted(ctx, found.records), found.total, found.query, found.url)


def create(ctx: Ctx, request: Request) -> Counted:
    return service.create(ctx, Form(**{"slug": "", **_values(request.body)}))


def get(ctx: Ctx, request: Request) -> Counted:
    return service.get(ctx, number(request.path["id"]))


def update(ctx: Ctx, request: Request) -> Counted:
    return service.update(ctx, number(request.path["id"]), _values(request.body))


def delete(ctx: Ctx, request: Request) -> Form:
    return service.delete(ctx, number(request.path["id"]))


def submit(ctx: Ctx, request: Request) -> Submitted:
    return service.submit(ctx, number(request.path["id"]), request.body.values)


CLEARED: dict[str, Any] = {"tags": (), "redirect_url": "", "honeypot_field": "", "slug": ""}


def _values(body: CreateForm) -> dict[str, Any]:
    """The fields that are sent, in our words."""
    values: dict[str, Any] = {name: CLEARED.get(name) if value is None else value for name, value in sent(body).items()}
    if "pipeline_stage_id" in values:
        values["stage_id"] = values.pop("pipeline_stage_id")
    if "fields" in values:
        values["fields"] = tuple(field.model_dump() for field in values["fields"])
    if "tags" in values:
        values["tags"] = model.with_tags((), tuple(values["tags"]))
    return values


def show_page(_tenant: Tenant, page: Paged[Counted]) -> Reply[Page[FormRecord]]:
    return paging.show(page, shape)


def show_created(_tenant: Tenant, counted: Counted) -> Reply[One[FormRecord]]:
    return Reply(201, {"data": shape(counted)})


def show(_tenant: Tenant, counted: Counted) -> Reply[One[FormRecord]]:
    return Reply(200, {"data": shape(counted)})


def show_submitted(_tenant: Tenant, submitted: Submitted) -> Reply[One[Accepted]]:
    lead = submitted.lead or None
    return Reply(201, {"data": {"submission_id": submitted.id, "lead_id": lead, "is_duplicate": submitted.existed}})


def shape(counted: Counted) -> FormRecord:
    form = counted.form
    return {
        "id": form.id,
        "name": form.name,
        "slug": form.slug,
        "fields": cast(list[ShownField], [*form.fields]),
        "pipeline_id": form.pipeline_id,
        "pipeline_stage_id": form.stage_id,
        "tags": list(form.tags),
        "assigned_user_id": form.assigned_user_id,
        "redirect_url": form.redirect_url or None,
        "honeypot_field": form.honeypot_field or None,
        "is_active": form.is_active,
        "submission_count": counted.submissions,
        **times(form),
    }


BASE = "/api/v1/forms"
ITEM = BASE + "/{id}"
READ, WRITE, DELETE = "read:forms", "write:forms", "delete:forms"
LISTED, MADE, SHOWN = {200: Page[FormRecord]}, {201: One[FormRecord]}, {200: One[FormRecord]}
REFUSALS = (records.taken("slug", "contact"), *placement.ABSENT)
DIALECT = Dialect(
    name="crm",
    routes=(
        Route("GET", BASE, READ, every, show_page, query=PageQuery, summary="List forms", answers=LISTED),
        Route(
            "POST", BASE, WRITE, create, show_created, body=CreateForm,
            summary="Create a form", answers=MADE, refuses=REFUSALS,
        ),
        Route("GET", ITEM, READ, get, show, summary="Get a form", answers=SHOWN),
        Route(
            "PUT", ITEM, WRITE, update, show, body=UpdateForm,
            summary="Change a form", answers=SHOWN, refuses=REFUSALS,
        ),
        Route(
            "PATCH", ITEM, WRITE, update, show, body=UpdateForm,
            summary="Change a form", answers=SHOWN, refuses=REFUSALS,
        ),
        Route("DELETE", ITEM, DELETE, delete, no_content, summary="Delete a form", answers=GONE),
        Route(
            "POST", ITEM + "/submissions", WRITE, submit, show_submitted, body=Submission,
            summary="Submit a form", answers={201: One[Accepted]}, refuses=(Conflict("The form is not active"),),
        ),
    ),
    render_error=errors.render,
    error_shape=errors.Failure,
    parameters=NUMBERED,
)  # fmt: skip
