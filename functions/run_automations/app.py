"""The door of automations: events of the bus and alarms in, runs brought on. Their webhooks speak crm."""

from leadwire.automations import worker
from leadwire.dialects.crm import faces

handler = worker.handler(faces.FACE)
