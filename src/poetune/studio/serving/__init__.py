"""The poet as an endpoint: which models answer to which names, and one queue before the engine."""

from poetune.studio.serving.names import Served, served
from poetune.studio.serving.queue import Busy, Event, Queue

__all__ = ["Busy", "Event", "Queue", "Served", "served"]
