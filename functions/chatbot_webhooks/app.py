"""The door of webhooks in the chatbot dialect."""

from leadwire.dialects.chatbot import webhooks
from leadwire.edge.http import door

handler = door(webhooks.DIALECT)
