"""Chatbots: the bots whose leads the chatbot dialect takes. Every tenant has one called `default` (decision D13).

The ids of the others are `cb_` and 16 hex digits.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from functools import partial

from . import keys, named
from .context import Ctx
from .errors import Conflict
from .named import Kind, Named
from .store.types import Item, TransactWrite

DEFAULT = "default"
KIND = Kind(
    name="chatbot",
    partition=keys.chatbots,
    fresh_id=lambda: f"cb_{secrets.token_hex(8)}",
    pattern=re.compile(r"[a-z0-9_]{1,64}"),
)
create, every, get = partial(named.create, KIND), partial(named.every, KIND), partial(named.get, KIND)
rename, exists = partial(named.rename, KIND), partial(named.exists, KIND)


def default(tenant: str, now_ms: int) -> Item:
    """The item of the chatbot that a new tenant has."""
    return named.item(KIND, tenant, Named(DEFAULT, "Default", now_ms, now_ms))


def delete(ctx: Ctx, chatbot_id: str, more: Sequence[TransactWrite] = ()) -> str:
    """Delete it together with what `more` writes. Its leads stay: they are the workspace's.

    Raises NotFound, and Conflict for the default one, which is needed.
    """
    if chatbot_id == DEFAULT:
        raise Conflict("The default chatbot cannot be deleted: the paths without a chatbot mean it")
    return named.delete(KIND, ctx, chatbot_id, more)
