"""What the bodies of the public dialect are made of."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from pydantic import Field

from leadwire.dialects.fields import published
from leadwire.leads import model

Time = Annotated[
    str,
    published(format="date-time", pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", examples=["2026-11-21T10:30:00Z"]),
]
LeadId = Annotated[str, published(format="uuid")]
ClientId = Annotated[str, published(pattern=r"^[1-9]\d*$")]
CompanyId = Annotated[str, published(pattern="^[0-9a-f]{16}$")]
Phone = Annotated[str, published(pattern=r"^\+[1-9]\d+$", examples=["+14155550100"])]
Status = Annotated[str, published(enum=[status.upper() for status in model.STATUSES])]
Action = Literal["CREATED", "UPDATED"]
Secret = Annotated[str, Field(description="Signs deliveries; shown this once")]


class Stored[Data](TypedDict):
    """A record that is known by its phone: new, or changed."""

    success: Literal[True]
    data: Data
    action: Action
