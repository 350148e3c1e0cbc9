"""Users in the crm dialect: the people to whom leads are assigned. Deleting one leaves the assignments."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from pydantic import AfterValidator

from leadwire import records, users
from leadwire.context import Ctx, Tenant
from leadwire.dialects.contacts import Email
from leadwire.dialects.fields import FilledLine, published
from leadwire.edge.types import Body, Dialect, Reply, Request, Route
from leadwire.leads.identity import normal_email
from leadwire.users import ROLES, STATES, USERS, User

from . import errors, paging
from .paging import Page, Paged, PageQuery
from .parts import CHANGES, GONE, NUMBERED, Number, One, Time, no_content, number, page, sent, times

Address = Annotated[Email, AfterValidator(normal_email)]
"""In its normal form: an address that two users share in other letters is one address."""
Role = Literal["admin", "manager", "agent", "read_only"]
State = Literal["active", "invited", "suspended"]


class CreateUser(Body):
    """`POST /api/v1/users`."""

    name: FilledLine
    email: Address
    role: Role = "agent"
    status: State = "active"


class UpdateUser(Body):
    """`PUT` and `PATCH /api/v1/users/{id}`: both change only what is sent."""

    model_config = CHANGES

    name: FilledLine = ""
    email: Address = ""
    role: Role = "agent"
    status: State = "active"


class UserRecord(TypedDict):
    id: Number
    name: str
    email: Annotated[str, published(format="email")]
    role: Annotated[str, published(enum=[*ROLES])]
    status: Annotated[str, published(enum=[*STATES])]
    created_at: Time
    updated_at: Time


def every(ctx: Ctx, request: Request) -> Paged[User]:
    return page(request, records.every(ctx, USERS))


def create(ctx: Ctx, request: Request) -> User:
    body: CreateUser = request.body
    return users.create(ctx, body.name, body.email, body.role, body.status)


def get(ctx: Ctx, request: Request) -> User:
    return records.find(ctx, USERS, number(request.path["id"]))


def update(ctx: Ctx, request: Request) -> User:
    return users.update(ctx, number(request.path["id"]), sent(request.body))


def delete(ctx: Ctx, request: Request) -> User:
    return users.delete(ctx, number(request.path["id"]))


def show_page(_tenant: Tenant, page: Paged[User]) -> Reply[Page[UserRecord]]:
    return paging.show(page, shape)


def show_created(_tenant: Tenant, user: User) -> Reply[One[UserRecord]]:
    return Reply(201, {"data": shape(user)})


def show(_tenant: Tenant, user: User) -> Reply[One[UserRecord]]:
    return Reply(200, {"data": shape(user)})


def shape(user: User) -> UserRecord:
    return {
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "role": user.role,
        "status": user.status,
        **times(user),
    }


BASE = "/api/v1/users"
ITEM = BASE + "/{id}"
READ, WRITE, DELETE = "read:users", "write:users", "delete:users"
LISTED, MADE, SHOWN = {200: Page[UserRecord]}, {201: One[UserRecord]}, {200: One[UserRecord]}
TAKEN = (records.taken("email", "ann@example.com"),)
DIALECT = Dialect(
    name="crm",
    routes=(
        Route("GET", BASE, READ, every, show_page, query=PageQuery, summary="List users", answers=LISTED),
        Route(
            "POST", BASE, WRITE, create, show_created, body=CreateUser,
            summary="Create a user", answers=MADE, refuses=TAKEN,
        ),
        Route("GET", ITEM, READ, get, show, summary="Get a user", answers=SHOWN),
        Route("PUT", ITEM, WRITE, update, show, body=UpdateUser, summary="Change a user", answers=SHOWN, refuses=TAKEN),
        Route(
            "PATCH", ITEM, WRITE, update, show, body=UpdateUser,
            summary="Change a user", answers=SHOWN, refuses=TAKEN,
        ),
        Route("DELETE", ITEM, DELETE, delete, no_content, summary="Delete a user", answers=GONE),
    ),
    render_error=errors.render,
    error_shape=errors.Failure,
    parameters=NUMBERED,
)  # fmt: skip
