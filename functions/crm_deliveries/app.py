"""The door of webhook deliveries in the crm dialect: the webhooks of every face are in its log."""

from leadwire import faces
from leadwire.dialects.crm import deliveries
from leadwire.edge.http import door

DIALECT = deliveries.dialect(*faces.ALL)
handler = door(DIALECT)
