"""The door of webhooks in the lists dialect."""

from leadwire.dialects.lists import webhooks
from leadwire.edge.http import door

handler = door(webhooks.DIALECT)
