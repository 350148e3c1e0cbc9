"""The door of lists in the lists dialect."""

from leadwire.dialects.lists import lists
from leadwire.edge.http import door

handler = door(lists.DIALECT)
