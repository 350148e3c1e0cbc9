"""What Leadwire says of itself: one wide JSON line per event, and metrics. Nothing personal ever gets here."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit
from aws_lambda_powertools.metrics.functions import is_metrics_disabled

NAMESPACE = "Leadwire"


@functools.cache
def logger() -> Logger:
    return Logger()


def say(text: str, /, **facts: Any) -> None:
    logger().info(text, extra=facts, stacklevel=3)


def fault(text: str, error: BaseException, /, **facts: Any) -> None:
    """A fault of ours, with the trace of its stack; the text of the error stays out, it may quote data."""
    frames = []
    trace = error.__traceback__
    while trace is not None:
        frames.append(f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}")
        trace = trace.tb_next
    logger().error(text, extra={**facts, "failure": type(error).__name__, "at": frames[-5:]}, stacklevel=3)


def count(
    counts: Mapping[str, float],
    latencies_ms: Mapping[str, list[int]] | None = None,
    dimensions: Mapping[str, str] | None = None,
) -> None:
    """Metrics in embedded format. Each call is one line, so call it once per invocation."""
    if is_metrics_disabled():
        return
    metrics = EphemeralMetrics(namespace=NAMESPACE)  # the shared Metrics would mix the requests of two threads
    for name, text in (dimensions or {}).items():
        metrics.add_dimension(name=name, value=text)
    for name, values in (latencies_ms or {}).items():  # first: a hundred of them are flushed at once
        for ms in values:
            metrics.add_metric(name=name, unit=MetricUnit.Milliseconds, value=ms)
    for name, value in counts.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
    if counts:
        metrics.flush_metrics()
