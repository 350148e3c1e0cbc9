"""Every published way of sending webhooks: what the fan-out serves, and what operators' tools know of."""

from __future__ import annotations

from leadwire.dialects.chatbot import faces as chatbot
from leadwire.dialects.crm import faces as crm
from leadwire.dialects.lists import faces as lists
from leadwire.dialects.public import faces as public

ALL = (*public.FACES, *chatbot.FACES, *lists.FACES, *crm.FACES)
