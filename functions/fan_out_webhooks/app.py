"""The door of the fan-out: events of the bus in, deliveries of every face out."""

from leadwire import faces
from leadwire.webhooks import fanout

handler = fanout.handler(*faces.ALL)
