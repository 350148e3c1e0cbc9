"""Field types of e-mail addresses and phones. Phones are read in the tenant's region, which the edge passes as context.

They are apart from fields.py because they are slow to import: the doors that take them pay for it as they start, which
Lambda does on a whole CPU, and the others do not pay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self, cast

import email_validator  # noqa: F401  # identity.py imports both when they are needed, which is now
import phonenumbers  # noqa: F401
from pydantic import AfterValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, StringConstraints, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from leadwire.context import Tenant
from leadwire.leads import identity

from .fields import CONTROL, published

PHONE_LIMIT = 64


@dataclass(frozen=True, slots=True)
class AnyPhone:
    """A phone number as it was sent, and in E.164. In a body it is a string."""

    given: str
    e164: str

    PATTERN: ClassVar[str | None] = None
    NANP_ONLY: ClassVar[bool] = False

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        text = core_schema.str_schema(max_length=PHONE_LIMIT, pattern=cls.PATTERN, strip_whitespace=True, strict=True)
        return core_schema.with_info_after_validator_function(cls._read, text)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"format": "phone", "pattern": "[0-9]", "examples": ["+14155550100"], **handler(schema)}

    @classmethod
    def _read(cls, text: str, info: ValidationInfo) -> Self:
        if CONTROL.search(text):  # a number can be read around them, but its spelling is kept
            raise ValueError("must not contain control characters")
        return cls(text, identity.normal_phone(cast(Tenant, info.context), text, nanp_only=cls.NANP_ONLY))


class UsPhone(AnyPhone):
    """North American numbers only (decision D7, public)."""

    NANP_ONLY = True


class E164Phone(AnyPhone):
    """In E.164 already, by the pattern that the lists dialect publishes."""

    PATTERN = r"^\+[1-9]\d{8,14}$"


def _email(text: str) -> str:
    identity.normal_email(text)
    return text


Email = Annotated[str, StringConstraints(max_length=254), AfterValidator(_email), published(format="idn-email")]
