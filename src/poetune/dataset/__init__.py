"""Poems to examples: splits, themes, templates, export."""

from poetune.dataset.building import Built, build, build_plain
from poetune.dataset.export import export_rows
from poetune.dataset.selecting import select
from poetune.dataset.slots import filled, slots
from poetune.dataset.splits import split_of
from poetune.dataset.templates import TEMPLATE_ORDER, Template, conversation, load_template
from poetune.dataset.themes import ThemeRow, propose_themes, read_themes_csv, write_themes_csv

__all__ = [
    "TEMPLATE_ORDER",
    "Built",
    "Template",
    "ThemeRow",
    "build",
    "build_plain",
    "conversation",
    "export_rows",
    "filled",
    "load_template",
    "propose_themes",
    "read_themes_csv",
    "select",
    "slots",
    "split_of",
    "write_themes_csv",
]
