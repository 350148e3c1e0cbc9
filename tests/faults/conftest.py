"""The receiver of tests/unit/webhooks, a real server on the loopback."""

from tests.unit.webhooks.conftest import receiver

__all__ = ["receiver"]
