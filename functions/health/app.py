"""The door of the health check."""

from leadwire import ports
from leadwire.dialects.crm import health

ports.prepare()
handler = health.handler
