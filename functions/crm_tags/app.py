"""The door of tags in the crm dialect."""

from leadwire.dialects.crm import tags
from leadwire.edge.http import door

handler = door(tags.DIALECT)
