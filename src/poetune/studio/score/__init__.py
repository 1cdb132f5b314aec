"""Stage 8: how good is it, and how is that known."""

from poetune.studio.score.copies import copies, measured_copies
from poetune.studio.score.losses import loss_rows, losses
from poetune.studio.score.models import best_or_fail
from poetune.studio.score.report import Told, report
from poetune.studio.score.table import Table

__all__ = ["Table", "Told", "best_or_fail", "copies", "loss_rows", "losses", "measured_copies", "report"]
