"""A person reads: which poems and in which order, what was decided after every undo, and what an edit changed."""

from poetune.review.difference import Line, difference
from poetune.review.pace import seconds_left
from poetune.review.queue import Item, queue
from poetune.review.state import Ledger, decisions, votes

__all__ = ["Item", "Ledger", "Line", "decisions", "difference", "queue", "seconds_left", "votes"]
