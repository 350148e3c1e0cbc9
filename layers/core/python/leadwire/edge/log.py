"""One wide JSON line per request, and its metrics. Nothing personal is ever handed to this module."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit


@functools.cache
def logger() -> Logger:
    return Logger()


def request(summary: Mapping[str, Any]) -> None:
    """`summary` is the edge's account of one request: dialect, status, error, consumed units and more."""
    logger().info("request", extra=dict(summary))
    counts = EphemeralMetrics()  # the shared Metrics would mix the requests of two threads
    counts.add_dimension(name="dialect", value=summary["dialect"])
    counts.add_metric(name="Requests", unit=MetricUnit.Count, value=1)
    counts.add_metric(name="WriteUnits", unit=MetricUnit.Count, value=summary["wru"])
    counts.add_metric(name="ReadUnits", unit=MetricUnit.Count, value=summary["rru"])
    if summary["error"]:
        counts.add_metric(name=summary["error"], unit=MetricUnit.Count, value=1)
    counts.flush_metrics()


def failure(request_id: str, error: Exception) -> None:
    """The store failed us: the kind of failure, never the data."""
    logger().error("store", extra={"request_id": request_id, "failure": type(error).__name__})
