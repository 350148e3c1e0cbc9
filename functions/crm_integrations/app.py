"""The door of integrations in the crm dialect."""

from leadwire.dialects.crm import integrations
from leadwire.edge.http import door

handler = door(integrations.DIALECT)
