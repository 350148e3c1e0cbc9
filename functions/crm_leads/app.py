"""The door of leads in the crm dialect; under the same paths it also speaks chatbot, by the key's family (D13)."""

from leadwire.dialects.chatbot import leads as chatbot
from leadwire.dialects.crm import leads as crm
from leadwire.edge.http import door

handler = door(crm.DIALECT, chatbot.DIALECT)
