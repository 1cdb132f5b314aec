"""Contestants are compared: the same prompts and seeds for all, figures, a judge's votes and people's."""

import json
from collections.abc import Mapping, Sequence
from itertools import combinations

from poetune.errors import PoetuneError, RecipeError
from poetune.judge.blocks import Ask
from poetune.ports import Block
from poetune.records import Candidate, Prompt, digest
from poetune.score.contents import Figures
from poetune.score.contest import Contest, Outcome, Tally, Writer, duels, in_both_orders, standing
from poetune.store.queries import verdicts
from poetune.studio import judge as judging
from poetune.studio.house import Studio
from poetune.studio.review import votes
from poetune.studio.score.contestants import Contestant, contestants, prompts_of, written
from poetune.studio.score.measuring import measured

Sets = Mapping[str, Sequence[Candidate]]
Shown = tuple[Candidate, Candidate]
_OUTCOMES: Mapping[str, Outcome] = {"left": "first", "right": "second", "tie": "even"}


def compare(
    studio: Studio, names: Sequence[str], prompted: bool = True, judged: bool = True, per_prompt: int = 1
) -> Contest:
    """Write what is missing and ask what was not asked; run again, nothing is written or asked twice."""
    studio.store.remember("score:compare", json.dumps([list(names), prompted, judged, per_prompt]))
    return _compared(studio, names, prompted, judged, per_prompt, fresh=True)


def told_again(studio: Studio) -> Contest | None:
    """The latest comparison from what is stored; None where there was none, or not with these settings."""
    kept = studio.store.fact("score:compare")
    if not kept:
        return None
    try:
        found = _compared(studio, *json.loads(kept), fresh=False)
    except PoetuneError:  # a contestant that is gone
        return None
    return found if all(writer.figures.poems for writer in found.writers) else None


def _compared(
    studio: Studio, names: Sequence[str], prompted: bool, judged: bool, per_prompt: int, *, fresh: bool
) -> Contest:
    who = contestants(studio, names, prompted)
    if len(who) < 2:
        raise RecipeError("score compare needs two contestants; name another, such as base, best or a step.")
    prompts = prompts_of(studio, studio.recipe.score.prompts)
    if not prompts:
        raise RecipeError("score compare needs prompts; give generate.themes or generate.openings in poet.yaml.")
    sampling = studio.recipe.generate.sampling()
    sets = {each.label: written(studio, each, prompts, sampling, per_prompt, fresh) for each in who}
    if not all(sets.values()):
        return Contest(tuple(Writer(Figures(label, 0, 0.0, 0.0)) for label in sets), (), len(prompts))
    tallies, name, invalid, flips = _judged(studio, sets, fresh) if judged else ({}, "", 0, 0)
    people = _voted(studio, who)
    found = duels([each.label for each in who], tallies, people)
    figures, said = measured(studio, sets)
    writers = []
    for each in figures:
        by_judge, by_people = standing(each.label, found)
        writers.append(Writer(each, by_judge, by_people))
    return Contest(tuple(writers), found, len(prompts), name, invalid, flips, tuple(said))


def _judged(studio: Studio, sets: Sets, fresh: bool) -> tuple[dict[tuple[str, str], Tally], str, int, int]:
    """Every pair of poems on one prompt and seed, shown in both orders; answers are kept before they are counted."""
    settings = studio.recipe.judge
    contest = digest("compare", settings.judge, settings.model, settings.rubric, studio.recipe.seed)
    pairs = [
        (a, b, one, other)
        for a, b in combinations(sets, 2)
        for one, other in zip(sets[a], sets[b], strict=True)
        if one.text.strip() and other.text.strip()
    ]
    if fresh:
        _ask(studio, contest, [shown for *_, one, other in pairs for shown in ((one, other), (other, one))], sets)
    known = {v.id: v for v in verdicts(studio.store, contest)}
    tallies: dict[tuple[str, str], Tally] = {}
    invalid = flips = 0
    for a, b, one, other in pairs:
        answers = [known.get(_key(contest, shown)) for shown in ((one, other), (other, one))]
        if answers[0] is None or answers[1] is None:
            continue
        once, again = answers[0].ranking, answers[1].ranking
        outcome: Outcome = in_both_orders(once, again, one.id, other.id)
        invalid += (not once) + (not again)
        flips += bool(once) and bool(again) and once[0] != again[0]
        tallies[a, b] = tallies.get((a, b), Tally()).and_also(outcome)
    judge = next((v.judge for v in known.values()), "")
    return tallies, judge, invalid, flips


def _ask(studio: Studio, contest: str, asked: Sequence[Shown], sets: Sets) -> None:
    """Ask the judge what it has not said yet; each answer is kept before the next is asked."""
    there = {v.id for v in verdicts(studio.store, contest)}
    todo = {key: shown for shown in asked if (key := _key(contest, shown)) not in there}
    asks = []
    for key, shown in todo.items():
        block = Block(tuple(c.id for c in shown), tuple(c.title for c in shown), tuple(c.text for c in shown))
        asks.append(Ask(key, contest, "pair", 1, block))
    judging.ask(studio, asks, [poem for found in sets.values() for poem in found], "comparing")


def _key(contest: str, shown: Shown) -> str:
    return digest("pair", contest, [poem.id for poem in shown])


def _voted(studio: Studio, who: Sequence[Contestant]) -> dict[tuple[str, str], Tally]:
    """Blind votes of people on poems of these contestants, whenever they were cast."""
    shown = {(each.model.id, bool(each.shown)): each.label for each in who}
    poems = {c.id: c for c in studio.store.all(Candidate) if (c.model, False) in shown or (c.model, True) in shown}
    prompted = {p.id for p in studio.store.all(Prompt) if any(w.shown and w.shown in p.system for w in who)}
    tallies: dict[tuple[str, str], Tally] = {}
    for vote in votes(studio):
        sides = [poems.get(vote.left), poems.get(vote.right)]
        names = [shown.get((c.model, c.prompt in prompted)) if c else None for c in sides]
        if vote.action not in _OUTCOMES or names[0] is None or names[1] is None or names[0] == names[1]:
            continue
        pair = (names[0], names[1])
        tallies[pair] = tallies.get(pair, Tally()).and_also(_OUTCOMES[vote.action])
    return tallies
