"""The door of automations in the crm dialect: their records, and their runs."""

from leadwire.dialects.crm import automations, runs
from leadwire.edge.http import door

handler = door(automations.DIALECT, runs.DIALECT)
