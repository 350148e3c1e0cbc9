"""The door of users in the crm dialect."""

from leadwire.dialects.crm import users
from leadwire.edge.http import door

handler = door(users.DIALECT)
