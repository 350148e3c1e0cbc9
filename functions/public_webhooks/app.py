"""The door of webhooks in the public dialect, both generations."""

from leadwire.dialects.public import webhooks, webhooks_v1
from leadwire.edge.http import door

handler = door(webhooks.DIALECT, webhooks_v1.DIALECT)
