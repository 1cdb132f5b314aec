"""Poems that other tools wrote come in as candidates, and decisions with them; pairs and training rows go out."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from poetune.dataset.templates import TEMPLATE_ORDER
from poetune.errors import PoetuneError, ReviewError
from poetune.generate.codes import decode
from poetune.records import Candidate, Model, Prompt, Review, Sampling, digest
from poetune.review import decisions
from poetune.rounds.exchange import Pair, nested, read_pairs
from poetune.store.atomic import write_text
from poetune.store.queries import candidates
from poetune.studio import prompting
from poetune.studio.house import Studio
from poetune.studio.init import now
from poetune.studio.judge import standing

Style = Literal["pairs", "chatml", "messages"]
CHATML, END = "source.v1", "<|im_end|>"


@dataclass(frozen=True, slots=True)
class Brought:
    """What came in: poems that are new, those that were there, accepted ones, and entries that held no poem."""

    new: int
    known: int
    accepted: int
    skipped: int


@dataclass(frozen=True, slots=True)
class Given:
    """A file that went out, and how many poems are in it."""

    file: str
    poems: int


def take_in(studio: Studio, path: Path) -> Brought:
    """The poems of a JSON file become candidates of the open round; `accepted: true` counts as this reviewer's.

    Raises ReviewError where the file cannot be read as asked.
    """
    try:
        text = path.read_bytes().decode("utf-8")
        found = read_pairs(text)
    except (ReviewError, UnicodeDecodeError) as error:
        raise ReviewError(f"{path}: {error}") from None
    number, reviewer = studio.round.number, studio.recipe.review.reviewer
    system = prompting.systems(studio)[0]
    made, models, prompts, reviews = [], {}, {}, []
    for pair in found.pairs:
        model, template = _writer(path, pair)
        prompt = Prompt(pair.theme, template, system)
        key = digest("brought", pair.theme, pair.text, pair.code)
        models[model.id], prompts[prompt.id] = model, prompt
        made.append(Candidate(key, model.id, prompt.id, Sampling(), 0, pair.text.strip("\n"), "", "eos", 0, number))
        if pair.accepted:
            reviews.append(Review(digest("brought", key, reviewer), key, "accept", reviewer, at=now()))
    with studio.store.transaction():
        before = studio.store.ids(Candidate)
        studio.store.add(models.values())
        studio.store.add(prompts.values())
        studio.store.add(made)
        accepted = studio.store.add(reviews)
    keys = {each.id for each in made}
    return Brought(len(keys - before), len(keys & before), accepted, found.skipped)


def _writer(path: Path, pair: Pair) -> tuple[Model, str]:
    """A model that stands for whoever wrote the file, with the step and template that a checkpoint code tells."""
    step, template = 0, TEMPLATE_ORDER[0]
    if pair.code is not None:
        try:
            step, index = decode(pair.code)
            template = TEMPLATE_ORDER[index]
        except PoetuneError:
            step = pair.code
    name = f"{path.stem} step {step}" if step else path.stem
    return Model("foreign", "none", path.name, name=name, step=step), template


def give_out(studio: Studio, path: Path, style: Style, number: int | None = None) -> Given:
    """Write the open round's poems, best first, as nested pairs; or all accepted poems (of round `number`) to train on.

    Raises ReviewError where there is none.
    """
    if style == "pairs":
        written = _ranked(studio, number)
        prompts = {prompt.id: prompt for prompt in studio.store.all(Prompt)}
        pairs = [Pair(_theme(prompts.get(each.prompt)), each.text) for each in written]
        text, count = nested(pairs), len(pairs)
        missing = "there is no poem in this round; run `poetune generate` first."
    else:
        kept = accepted(studio, number)
        rows = [_row(studio, prompt, body, style) for prompt, body in kept]
        text, count = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), len(rows)
        missing = "nothing was accepted yet; accept poems in `poetune review` first."
    if not count:
        raise ReviewError(missing)
    write_text(path, text)
    return Given(str(path), count)


def accepted(studio: Studio, number: int | None = None) -> list[tuple[Prompt, str]]:
    """Accepted poems as edited, with their prompts, in the order in which they were accepted."""
    written = {each.id: each for each in studio.store.all(Candidate)}
    prompts = {prompt.id: prompt for prompt in studio.store.all(Prompt)}
    found = []
    for key, act in decisions(studio.store.all(Review)).items():
        poem = written.get(key)
        if act.action != "accept" or poem is None or (number is not None and poem.round != number):
            continue
        text = poem.text if act.body is None else act.body
        found.append((prompts.get(poem.prompt, Prompt("")), text))
    return found


def _row(studio: Studio, prompt: Prompt, text: str, style: Style) -> dict[str, Any]:
    system = prompt.system or prompting.systems(studio)[0]
    asked = replace(prompt, template=CHATML if style == "chatml" else "plain.v1", system=system)
    turns = prompting.conversation(studio, replace(asked, opening=""))
    if style == "chatml":
        return {"text": f"{turns.raw}{text}{END}"}
    told = [asdict(turn) for turn in turns.messages]
    return {"messages": [*told, {"role": "assistant", "content": text}]}


def _ranked(studio: Studio, number: int | None) -> list[Candidate]:
    found = {each.id: each for each in candidates(studio.store, number or studio.round.number) if each.text.strip()}
    order = [key for key in standing(studio) if key in found]
    return [found[key] for key in dict.fromkeys([*order, *found])]


def _theme(prompt: Prompt | None) -> str:
    return (prompt.theme or prompt.opening) if prompt else ""
