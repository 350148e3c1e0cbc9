"""Chatbots: the bots whose leads the chatbot dialect takes. Every tenant has one called `default` (decision D13)."""

from __future__ import annotations

import re
import secrets

from . import keys
from .context import Ctx
from .errors import NotFound
from .store.types import ABSENT, PRESENT, Check, Key, Put

_ID = re.compile(r"[a-z0-9_]{1,64}")


def create(ctx: Ctx, name: str) -> str:
    """A new chatbot; its id is `cb_` and 16 hex digits."""
    chatbot_id = f"cb_{secrets.token_hex(8)}"
    item = {"pk": keys.chatbots(ctx.tenant.id), "sk": chatbot_id, "name": name, "created_at": ctx.now_ms()}
    ctx.table.write(Put(item, ABSENT))
    return chatbot_id


def exists(ctx: Ctx, chatbot_id: str) -> Check:
    """The condition, for a transaction, that the chatbot is there. Raises NotFound if nothing can be called so."""
    return Check(_key(ctx, chatbot_id), PRESENT)


def require(ctx: Ctx, chatbot_id: str) -> None:
    """Raises NotFound if the chatbot is not there."""
    if ctx.table.get(_key(ctx, chatbot_id)) is None:
        raise NotFound("chatbot")


def _key(ctx: Ctx, chatbot_id: str) -> Key:
    """The id comes from a path, which may be longer than a key can be."""
    if not _ID.fullmatch(chatbot_id):
        raise NotFound("chatbot")
    return Key(keys.chatbots(ctx.tenant.id), chatbot_id)
