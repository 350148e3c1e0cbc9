"""The door of automations in the crm dialect."""

from leadwire.dialects.crm import automations
from leadwire.edge.http import door

handler = door(automations.DIALECT)
