"""Joins the stages to the store and the engines: one module a stage, opened by the methods of `Studio`."""

from poetune.studio.house import Studio
from poetune.studio.listening import Listener, Quiet

__all__ = ["Listener", "Quiet", "Studio"]
