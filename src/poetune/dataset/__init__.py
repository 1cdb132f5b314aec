"""Poems to examples: splits, themes, templates, export."""

from poetune.dataset.building import Built, build
from poetune.dataset.export import export_rows
from poetune.dataset.splits import split_of
from poetune.dataset.templates import TEMPLATE_ORDER, Template, conversation, load_template
from poetune.dataset.themes import ThemeRow, propose_themes, read_themes_csv, write_themes_csv

__all__ = [
    "TEMPLATE_ORDER",
    "Built",
    "Template",
    "ThemeRow",
    "build",
    "conversation",
    "export_rows",
    "load_template",
    "propose_themes",
    "read_themes_csv",
    "split_of",
    "write_themes_csv",
]
