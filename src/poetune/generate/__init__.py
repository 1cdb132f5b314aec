"""Stage 4, models -> candidates: the grid of models, themes and templates, whose every cell is an id."""
