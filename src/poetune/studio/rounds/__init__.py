"""What was kept goes back: closing a round under its guards."""

from poetune.studio.rounds.closing import Closed, close, list_rounds

__all__ = ["Closed", "close", "list_rounds"]
