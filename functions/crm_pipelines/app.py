"""The door of pipelines and their stages in the crm dialect."""

from leadwire.dialects.crm import pipelines, stages
from leadwire.edge.http import door

handler = door(pipelines.DIALECT, stages.DIALECT)
