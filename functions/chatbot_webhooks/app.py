"""The door of webhooks and of their deliveries in the chatbot dialect."""

from leadwire.dialects.chatbot import deliveries, webhooks
from leadwire.edge.http import door

handler = door(webhooks.DIALECT, deliveries.DIALECT)
