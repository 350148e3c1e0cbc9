"""The door of clients in the public dialect."""

from leadwire.dialects.public import clients
from leadwire.edge.http import door

handler = door(clients.DIALECT)
