"""Conversations of the public dialect (decisions.md, public): messages, qualification, missed calls."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from leadwire import ids
from leadwire.context import Ctx, Tenant
from leadwire.dialects.fields import FilledLine, Line, OpenMap, Text, UsPhone
from leadwire.edge.types import Body, Dialect, Reply, Request, Route
from leadwire.errors import FieldError, InvalidInput
from leadwire.leads import history, model, service
from leadwire.leads.history import Medium, Message
from leadwire.leads.model import Lead, Stored

from . import errors
from .conversation import conversation, shown
from .faces import MISSED_CALL
from .lead_object import lead_object

MOST_MEDIA = 10


class MediumBody(Body):
    """A picture or another file of a message."""

    type: Annotated[str, StringConstraints(pattern=r"^[\w.+-]{1,64}/[\w.+-]{1,64}$")]
    url: Annotated[str, StringConstraints(pattern=r"^https?://\S+$", max_length=1000)]


class MessageBody(Body):
    """`POST /api/v1/pub/leads/{uuid}/messages`."""

    direction: Literal["inbound", "outbound"]
    name: Line = ""
    message: Annotated[str, StringConstraints(max_length=history.LIMIT)] = ""
    media: Annotated[list[MediumBody], Field(max_length=MOST_MEDIA)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.message and not self.media:
            raise ValueError("must have message or media")
        return self


class CommonFields(Body):
    """What is asked in most conversations; what is not sent stays."""

    fullAddress: Line | None = None  # noqa: N815  # the published spelling
    address: Line | None = None
    zipcode: Line | None = None
    state: Line | None = None
    city: Line | None = None
    country: Line | None = None
    isHomeowner: bool | None = None  # noqa: N815
    customerName: Line | None = None  # noqa: N815


class QualificationBody(Body):
    """`POST /api/v1/pub/leads/{uuid}/qualification`: what was found out so far. What is not sent stays."""

    status: Literal["NEW", "IN_PROGRESS", "COMPLETED"] = "IN_PROGRESS"
    qualifyingData: OpenMap = Field(default_factory=dict)  # noqa: N815  # the published spelling
    qualifyingDataSummary: Text = ""  # noqa: N815
    commonFields: CommonFields = CommonFields()  # noqa: N815
    contactReason: Text = ""  # noqa: N815

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("must have at least one field")
        return self


STORED_AS = {
    "status": "status",
    "qualifyingData": "data",
    "qualifyingDataSummary": "summary",
    "commonFields": "common",
    "contactReason": "reason",
}


class MissedCallBody(Body):
    """`POST /api/v1/pub/missed-calls`."""

    phone: UsPhone
    name: FilledLine | None = None


def add_message(ctx: Ctx, request: Request) -> Message:
    body: MessageBody = request.body
    media = tuple(Medium(medium.type, medium.url) for medium in body.media)
    draft = Message(id="", at=0, direction=body.direction, name=body.name, text=body.message, media=media)
    return history.add(ctx, _number(ctx, request), draft)


def show_message(_tenant: Tenant, message: Message) -> Reply:
    media = [asdict(medium) for medium in message.media]
    return Reply(201, {"success": True, "data": {"id": message.id, **shown(message), "media": media}})


def qualify(ctx: Ctx, request: Request) -> Stored:
    sent = request.body.model_dump(exclude_unset=True)
    number = _number(ctx, request)
    known = service.get(ctx, number).qualification.get("data", {})
    problem = model.open_map_problem({**known, **sent.get("qualifyingData", {})})
    if problem:
        raise InvalidInput(FieldError("qualifyingData", problem, "value_error"))
    return history.qualify(ctx, number, {STORED_AS[name]: value for name, value in sent.items()})


def show_lead(tenant: Tenant, stored: Stored) -> Reply:
    """The lead with what is known of it now, without its messages."""
    snapshot = model.snapshot(stored.lead)
    return Reply(200, {"success": True, "data": {**lead_object(tenant, snapshot), **conversation(snapshot, [])}})


def miss_call(ctx: Ctx, request: Request) -> Stored:
    """The lead of this phone. A known one gets a name if it has none."""
    body: MissedCallBody = request.body
    first_name, last_name = model.split_name(body.name or "")

    def named(lead: Lead) -> Lead:
        return lead if lead.name or not body.name else replace(lead, first_name=first_name, last_name=last_name)

    return service.upsert_by_phone(ctx, named(Lead(phone=body.phone.e164, source=MISSED_CALL)), named)


def show_missed_call(tenant: Tenant, stored: Stored) -> Reply:
    data = lead_object(tenant, model.snapshot(stored.lead))
    action = "UPDATED" if stored.existed else "CREATED"
    return Reply(200 if stored.existed else 201, {"success": True, "data": data, "action": action})


def _number(ctx: Ctx, request: Request) -> int | None:
    return ids.number_of_uuid(ctx.tenant.id_key, request.path["uuid"])


LEAD = "/api/v1/pub/leads/{uuid}"
DIALECT = Dialect(
    name="public",
    routes=(
        Route("POST", LEAD + "/messages", "write:leads", add_message, show_message, body=MessageBody),
        Route("POST", LEAD + "/qualification", "write:leads", qualify, show_lead, body=QualificationBody),
        Route("POST", "/api/v1/pub/missed-calls", "write:leads", miss_call, show_missed_call, body=MissedCallBody),
    ),
    render_error=errors.render,
    key_header="x-api-key",
)
