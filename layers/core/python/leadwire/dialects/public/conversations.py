"""Conversations of the public dialect (decisions.md, public): messages, qualification, missed calls."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator
from pydantic.config import JsonDict

from leadwire import ids
from leadwire.context import Ctx, Tenant
from leadwire.dialects.contacts import UsPhone
from leadwire.dialects.envelope import Success
from leadwire.dialects.fields import FilledLine, Line, OpenMap, Text, published, unsent
from leadwire.edge.types import Body, Dialect, Reply, Request, Route
from leadwire.errors import FieldError, InvalidInput
from leadwire.leads import history, model, service
from leadwire.leads.history import Medium, Message
from leadwire.leads.model import Lead, Stored

from . import conversation, errors, shapes
from .conversation import FullLead, ShownMedium, ShownMessage
from .faces import MISSED_CALL
from .lead_object import LeadObject, lead_object

MOST_MEDIA = 10
HAS_TEXT: JsonDict = {"required": ["message"], "properties": {"message": {"pattern": r"\S"}}}
HAS_MEDIA: JsonDict = {"required": ["media"], "properties": {"media": {"minItems": 1}}}


class MediumBody(Body):
    """A picture or another file of a message."""

    type: Annotated[str, StringConstraints(pattern=r"^[\w.+-]{1,64}/[\w.+-]{1,64}$")]
    url: Annotated[str, StringConstraints(pattern=r"^https?://\S+$", max_length=1000)]


class MessageBody(Body):
    """`POST /api/v1/pub/leads/{uuid}/messages`: a text, media or both."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [HAS_TEXT, HAS_MEDIA]})

    direction: Literal["inbound", "outbound"]
    name: Line = ""
    message: Annotated[str, StringConstraints(max_length=history.LIMIT)] = ""
    media: Annotated[list[MediumBody], Field(max_length=MOST_MEDIA)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.message and not self.media:
            raise ValueError("must have message or media")
        return self


class CommonFieldsBody(Body):
    """What is asked in most conversations; what is not sent stays."""

    fullAddress: Line | None = None
    address: Line | None = None
    zipcode: Line | None = None
    state: Line | None = None
    city: Line | None = None
    country: Line | None = None
    isHomeowner: bool | None = None
    customerName: Line | None = None


def _some_of_it(schema: JsonDict) -> None:
    unsent(schema)
    schema["minProperties"] = 1


class QualificationBody(Body):
    """`POST /api/v1/pub/leads/{uuid}/qualification`: what was found out so far. What is not sent stays."""

    model_config = ConfigDict(json_schema_extra=_some_of_it)

    status: Literal["NEW", "IN_PROGRESS", "COMPLETED"] = "IN_PROGRESS"
    qualifyingData: OpenMap = Field(default_factory=dict)
    qualifyingDataSummary: Text = ""
    commonFields: CommonFieldsBody = CommonFieldsBody()
    contactReason: Text = ""

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


class StoredMessage(ShownMessage):
    id: Annotated[str, published(pattern="^[0-9A-HJKMNP-TV-Z]{26}$")]
    media: list[ShownMedium]


def show_message(_tenant: Tenant, message: Message) -> Reply[Success[StoredMessage]]:
    media = conversation.media(message)
    data: StoredMessage = {"id": message.id, **conversation.shown(message), "media": media}
    return Reply(201, {"success": True, "data": data})


def qualify(ctx: Ctx, request: Request) -> Stored:
    sent = request.body.model_dump(exclude_unset=True)
    try:
        return history.qualify(ctx, _number(ctx, request), {STORED_AS[name]: value for name, value in sent.items()})
    except history.Overfull as error:
        raise InvalidInput(FieldError("qualifyingData", str(error), "value_error")) from error


def show_lead(tenant: Tenant, stored: Stored) -> Reply[Success[FullLead]]:
    """The lead with what is known of it now, without its messages."""
    snapshot = model.snapshot(stored.lead)
    data: FullLead = {**lead_object(tenant, snapshot), **conversation.conversation(snapshot, [])}
    return Reply(200, {"success": True, "data": data})


def miss_call(ctx: Ctx, request: Request) -> Stored:
    """The lead of this phone. A known one gets a name if it has none."""
    body: MissedCallBody = request.body
    first_name, last_name = model.split_name(body.name or "")

    def named(lead: Lead) -> Lead:
        return lead if lead.name or not body.name else replace(lead, first_name=first_name, last_name=last_name)

    return service.upsert_by_phone(ctx, named(Lead(phone=body.phone.e164, source=MISSED_CALL)), named)


def show_missed_call(tenant: Tenant, stored: Stored) -> Reply[shapes.Stored[LeadObject]]:
    data = lead_object(tenant, model.snapshot(stored.lead))
    action: shapes.Action = "UPDATED" if stored.existed else "CREATED"
    return Reply(200 if stored.existed else 201, {"success": True, "data": data, "action": action})


def _number(ctx: Ctx, request: Request) -> int | None:
    return ids.number_of_uuid(ctx.tenant.id_key, request.path["uuid"])


LEAD = "/api/v1/pub/leads/{uuid}"
DIALECT = Dialect(
    name="public",
    routes=(
        Route(
            "POST",
            LEAD + "/messages",
            "write:leads",
            add_message,
            show_message,
            body=MessageBody,
            summary="Add a message to a lead's conversation",
            answers={201: Success[StoredMessage]},
        ),
        Route(
            "POST",
            LEAD + "/qualification",
            "write:leads",
            qualify,
            show_lead,
            body=QualificationBody,
            summary="Add what was found out about a lead",
            answers={200: Success[FullLead]},
        ),
        Route(
            "POST",
            "/api/v1/pub/missed-calls",
            "write:leads",
            miss_call,
            show_missed_call,
            body=MissedCallBody,
            summary="Take in the lead of a missed call",
            answers={200: shapes.Stored[LeadObject], 201: shapes.Stored[LeadObject]},
        ),
    ),
    render_error=errors.render,
    error_shape=errors.Refusal,
    key_header="x-api-key",
)
