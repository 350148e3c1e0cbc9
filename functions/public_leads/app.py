"""The door of leads in the public dialect."""

from leadwire.dialects.public import leads
from leadwire.edge.http import door

handler = door(leads.DIALECT)
