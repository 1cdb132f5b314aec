"""A person reads: which poems and in which order, what was decided after every undo, and what an edit changed."""

from poetune.review.difference import Line, difference
from poetune.review.pace import seconds_left
from poetune.review.queue import queue
from poetune.review.state import Decision, Ledger, decisions

__all__ = ["Decision", "Ledger", "Line", "decisions", "difference", "queue", "seconds_left"]
