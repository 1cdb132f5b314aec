"""Which rows a step reads: the same for every engine."""

from poetune.backends.ordering import held_rows as held_rows
from poetune.backends.ordering import step_rows as step_rows
from poetune.backends.ordering import texts_read as texts_read
