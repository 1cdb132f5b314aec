"""Rows of token ids, which every engine with a tokenizer shares."""

from poetune.backends.rows import Row as Row
from poetune.backends.rows import Rows as Rows
from poetune.backends.rows import build_rows as build_rows
