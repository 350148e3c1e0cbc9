"""Whether `send_webhook` may send where it says: asked when an automation is made, and again before it sends."""

from __future__ import annotations

from leadwire.webhooks import guard, signing


def problems(url: str, secret: str | None, *, private: bool) -> dict[str, str]:
    """Name of the value to what is wrong with it, as in FieldError. `private` as in guard.problem."""
    found = {"url": guard.problem(url, private=private), "secret": signing.problem(secret) if secret else None}
    return {name: problem for name, problem in found.items() if problem}
