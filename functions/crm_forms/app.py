"""The door of forms and their submissions in the crm dialect."""

from leadwire.dialects.crm import forms
from leadwire.edge.http import door

handler = door(forms.DIALECT)
