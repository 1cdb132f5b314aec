"""Files to poems: readers, column names, filters, cleaning, twins. `read` takes the poems, `preview` shows a split."""

from poetune.corpus.intake import Intake, Preview, Skipped
from poetune.corpus.reading import preview, read

__all__ = ["Intake", "Preview", "Skipped", "preview", "read"]
