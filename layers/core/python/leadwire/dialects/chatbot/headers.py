"""Headers of the chatbot dialect's answers."""

from __future__ import annotations

from collections.abc import Mapping

from leadwire.admission import Admission


def limit_headers(admission: Admission) -> Mapping[str, str]:
    """This dialect publishes a fourth header (decision D11)."""
    return {"X-RateLimit-Used": str(admission.used)}
