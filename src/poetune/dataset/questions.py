"""Poems that came with the question they answer: it is asked to the letter, where a theme goes through templates."""

from collections.abc import Sequence
from dataclasses import dataclass

from poetune.dataset.templates import Template, load_template
from poetune.records import Poem

PROMPT, SYSTEM = "prompt", "system"  # the tags in which `corpus` keeps them


@dataclass(frozen=True, slots=True)
class Question:
    """What a row asked, with its own system text or ""."""

    prompt: str
    system: str = ""


def question_of(poem: Poem) -> Question | None:
    """The poem's own question; None where it has a theme only."""
    prompt = poem.tags.get(PROMPT, "")
    return Question(prompt, poem.tags.get(SYSTEM, "")) if prompt.strip() else None


def literal(templates: Sequence[Template]) -> Sequence[Template]:
    """Of templates those that a literal question keeps: raw ones, which are the model's format; else the plain one."""
    return [template for template in templates if template.raw] or [load_template("plain.v1")]
