"""The door of conversations in the public dialect."""

from leadwire.dialects.public import conversations
from leadwire.edge.http import door

handler = door(conversations.DIALECT)
