"""The door of chatbots in the chatbot dialect."""

from leadwire.dialects.chatbot import bots
from leadwire.edge.http import door

handler = door(bots.DIALECT)
