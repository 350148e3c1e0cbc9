"""One wide JSON line per request, and its metrics. Nothing personal is ever handed to this module."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit


@functools.cache
def logger() -> Logger:
    return Logger()


@functools.cache
def metrics() -> Metrics:
    return Metrics()


def request(summary: Mapping[str, Any]) -> None:
    logger().info("request", extra=dict(summary))
    counts = metrics()
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
