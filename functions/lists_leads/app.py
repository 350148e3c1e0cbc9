"""The door of leads in the lists dialect."""

from leadwire.dialects.lists import leads
from leadwire.edge.http import door

handler = door(leads.DIALECT)
