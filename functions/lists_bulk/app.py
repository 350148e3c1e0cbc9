"""The door of bulk operations in the lists dialect."""

from leadwire.dialects.lists import bulk
from leadwire.edge.http import door

handler = door(bulk.DIALECT)
