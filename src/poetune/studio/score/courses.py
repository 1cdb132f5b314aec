"""Lengths and ways of drawing side by side, and where verse drifts into prose."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from poetune.errors import CorpusError
from poetune.records import Candidate, Poem, Sampling
from poetune.score.contents import Course, Courses
from poetune.studio.house import Studio
from poetune.studio.score.contestants import Contestant, prompts_of, written
from poetune.studio.score.measuring import measured
from poetune.studio.score.models import best_or_fail
from poetune.verse.drift import course, turn
from poetune.verse.lines import language
from poetune.verse.tallies import unit_name
from poetune.verse.usual import usual

Kind = Literal["lengths", "decoding"]


def courses(studio: Studio, kind: Kind, write: bool = True) -> Courses:
    """What the best checkpoint writes at each of `score.lengths`, or in each way of drawing.

    Without `write`, only what is there already. Raises CorpusError where there is no poem to take line lengths from.
    """
    best = best_or_fail(studio)
    who = Contestant(best.name, best)
    ways = lengths(studio) if kind == "lengths" else drawings(studio)
    prompts = prompts_of(studio, studio.recipe.score.prompts)
    sets: dict[str, list[Candidate]] = {}
    for name, sampling in ways.items():
        poems = written(studio, who, prompts, sampling, studio.recipe.score.per_prompt, write)
        if poems:
            sets[name] = poems
    own = _own(studio)
    like = usual(own).get(studio.language())
    if like is None:
        raise CorpusError(f"the corpus has no {studio.language()} poem to compare line lengths with; set language.")
    longest = like.line[1]
    of_poet = course(own, longest)
    most = max((stretch.share for stretch in of_poet), default=0.0)
    figures, said = measured(studio, sets)
    found = [Course(f, course([c.text for c in sets[f.label]], longest)) for f in figures]
    return Courses(
        kind,
        unit_name(own[0]),
        longest,
        most,
        tuple(replace(each, turn=turn(each.stretches, most)) for each in found),
        tuple(said),
    )


def lengths(studio: Studio) -> Mapping[str, Sampling]:
    """The recipe's way of drawing, ended after each of `score.lengths` tokens."""
    own = studio.recipe.generate.sampling()
    return {f"{most} tokens": replace(own, max_tokens=most) for most in sorted(set(studio.recipe.score.lengths))}


def drawings(studio: Studio) -> Mapping[str, Sampling]:
    """Greedy, beams, and sampling cool, warm and as the recipe has it; beams only where the engine can."""
    own = studio.recipe.generate.sampling()
    plain = Sampling(1.0, 1.0, 0, 1.0, max_tokens=own.max_tokens, max_lines=own.max_lines, stop=own.stop)
    found = {
        "the recipe's": own,
        "greedy": replace(plain, temperature=0.0),
        "greedy, no 3-gram twice": replace(plain, temperature=0.0, no_repeat_ngram=3),
        "5 beams, no 2-gram twice": replace(plain, temperature=0.0, beams=5, no_repeat_ngram=2, repetition_penalty=1.2),
        "sampled at 0.7, top-p 0.9": replace(plain, temperature=0.7, top_p=0.9),
        "sampled at 1.0": plain,
    }
    able = studio.engine().capabilities.beams
    kept = {name: way for name, way in found.items() if able or way.beams == 1}
    return {name: way for i, (name, way) in enumerate(kept.items()) if way not in list(kept.values())[:i]}


def _own(studio: Studio) -> Sequence[str]:
    poems = [p.text for p in studio.store.all(Poem) if p.origin == "corpus"]
    return [text for text in poems if language(text) == studio.language()] or poems
