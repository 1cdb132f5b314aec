"""The settings of `generate.gates`."""

from typing import Literal

from pydantic import Field

from poetune.recipe.section import Section

Gate = Literal["empty", "talk", "language", "loop", "prose", "copied", "twin", "unfinished"]
ALL: list[Gate] = ["empty", "talk", "language", "loop", "prose", "copied", "twin", "unfinished"]


class Gates(Section):
    """What keeps a candidate from judges and readers; it stays in the database with the reason."""

    use: list[Gate] = Field(ALL, description="gates that are shut, `[]` = none")
    foreign: float = Field(0.05, ge=0, le=1, description="language: most characters that the corpus could not have")
    loop: float = Field(0.4, ge=0, le=1, description="loop: repetition above what 9 in 10 of the corpus's poems have")
    prose: float = Field(0.5, ge=0, le=1, description="prose: share of words in overlong or unbroken lines")
    copied: float = Field(0.3, ge=0, le=1, description="copied: share of lines or 5-word windows that are the corpus's")
    twin: float = Field(0.6, ge=0, le=1, description="twin: share in common with an earlier poem of the round")
