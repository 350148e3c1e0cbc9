"""The door of API keys, the change feed, timelines and figures in the crm dialect."""

from leadwire.dialects.crm import admin, journal
from leadwire.edge.http import door

handler = door(admin.DIALECT, journal.DIALECT)
