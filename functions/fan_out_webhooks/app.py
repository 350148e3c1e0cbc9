"""The door of the fan-out: events of the bus in, deliveries out. The faces that it serves are named here."""

from leadwire.dialects.public.faces import FACE_V2
from leadwire.webhooks import fanout

handler = fanout.handler(FACE_V2)
