"""The door of leads in the chatbot dialect."""

from leadwire.dialects.chatbot import leads
from leadwire.edge.http import door

handler = door(leads.DIALECT)
