"""The door of the inbound intake in the crm dialect."""

from leadwire.dialects.crm import inbound
from leadwire.edge.http import door

handler = door(inbound.DIALECT)
