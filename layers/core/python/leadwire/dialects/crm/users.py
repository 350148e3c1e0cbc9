"""Users in the crm dialect: the people to whom leads are assigned. Deleting one leaves the assignments."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator

from leadwire import records, users
from leadwire.context import Ctx, Tenant
from leadwire.dialects.fields import Email, FilledLine
from leadwire.edge.types import Body, Dialect, Reply, Request, Route
from leadwire.leads.identity import normal_email
from leadwire.users import USERS, User

from . import errors, paging
from .paging import Paged, PageQuery
from .parts import no_content, number, page, sent, times

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

    name: FilledLine = ""
    email: Address = ""
    role: Role = "agent"
    status: State = "active"


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


def show_page(_tenant: Tenant, page: Paged[User]) -> Reply:
    return paging.show(page, shape)


def show_created(_tenant: Tenant, user: User) -> Reply:
    return Reply(201, {"data": shape(user)})


def show(_tenant: Tenant, user: User) -> Reply:
    return Reply(200, {"data": shape(user)})


def shape(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "role": user.role,
        "status": user.status,
        **times(user),
    }


BASE = "/api/v1/users"
DIALECT = Dialect(
    name="crm",
    routes=(
        Route("GET", BASE, "read:users", every, show_page, query=PageQuery),
        Route("POST", BASE, "write:users", create, show_created, body=CreateUser),
        Route("GET", BASE + "/{id}", "read:users", get, show),
        Route("PUT", BASE + "/{id}", "write:users", update, show, body=UpdateUser),
        Route("PATCH", BASE + "/{id}", "write:users", update, show, body=UpdateUser),
        Route("DELETE", BASE + "/{id}", "delete:users", delete, no_content),
    ),
    render_error=errors.render,
)
