"""The door of bulk operations in the lists dialect."""

from leadwire.dialects.lists import bulk, bulk_delete
from leadwire.edge.http import door

handler = door(bulk.DIALECT, bulk_delete.DIALECT)
