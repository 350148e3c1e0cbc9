"""The one table, as arguments of CreateTable: what the template declares, for tests and tools that make it."""

from __future__ import annotations

from typing import Any

from .types import INDEXES


def index_name(index: str) -> str:
    """The index's name in DynamoDB, which wants three characters at least."""
    return f"{index}-index"


def create_table_arguments(name: str) -> dict[str, Any]:
    """For boto3's `create_table`: on demand, six sparse KEYS_ONLY indexes, a stream with both images."""
    keys = ["pk", "sk", *(f"{index}{part}" for index in INDEXES for part in ("pk", "sk"))]
    return {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": _key_schema(""),
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key in keys],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": index_name(index),
                "KeySchema": _key_schema(index),
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
            for index in INDEXES
        ],
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    }


def _key_schema(prefix: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": f"{prefix}pk", "KeyType": "HASH"},
        {"AttributeName": f"{prefix}sk", "KeyType": "RANGE"},
    ]
