"""The door of the health check."""

from leadwire.dialects.crm import health

handler = health.handler
