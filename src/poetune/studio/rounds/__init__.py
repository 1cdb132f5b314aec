"""What was kept goes back: closing a round under its guards, the loop, and other tools' files."""

from poetune.studio.rounds.closing import Closed, close, list_rounds
from poetune.studio.rounds.exchanging import Brought, Given, Style, give_out, take_in
from poetune.studio.rounds.looping import Looped, run

__all__ = ["Brought", "Closed", "Given", "Looped", "Style", "close", "give_out", "list_rounds", "run", "take_in"]
