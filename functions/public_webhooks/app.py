"""The door of V2 webhooks in the public dialect."""

from leadwire.dialects.public import webhooks
from leadwire.edge.http import door

handler = door(webhooks.DIALECT)
