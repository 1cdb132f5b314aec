"""Where a poem came from: every record between it and the poems that its model learned."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from poetune.errors import ReviewError
from poetune.records import Candidate, Dataset, Example, Model, Poem, Prompt, Review, Run, Verdict, Vote
from poetune.store.queries import ancestors, checkpoints
from poetune.studio.house import Studio
from poetune.studio.prompting import conversation

LEAST = 4  # characters of an id that are enough to name a poem


@dataclass(frozen=True, slots=True)
class Link:
    """One record of the chain: what it is, its id, what it says in a line, and the record itself."""

    what: str
    id: str
    said: str
    record: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Chain:
    """A poem and its links: model, run, recipe, data set, parents, prompt, seed, verdicts, reviews and votes."""

    id: str
    title: str
    text: str
    links: list[Link]


def explain(studio: Studio, asked: str) -> Chain:
    """The chain of the poem with this id (or its beginning), title or line.

    Raises ReviewError where no poem, or more than one, is so called.
    """
    poem, candidate = _found(studio, asked)
    links: list[Link] = []
    if poem is not None:
        links += [_poem(poem), *_learned_by(studio, poem)]
    if candidate is not None:
        links += _written(studio, candidate)
    text = poem.text if poem is not None else candidate.text if candidate else ""
    title = poem.title if poem is not None else candidate.title if candidate else ""
    return Chain(poem.id if poem is not None else candidate.id if candidate else "", title, text, links)


def _found(studio: Studio, asked: str) -> tuple[Poem | None, Candidate | None]:
    """The poem of the corpus, and the candidate, that are meant; an accepted poem has both."""
    poems, written = studio.store.all(Poem), studio.store.all(Candidate)
    named: dict[str, tuple[Poem | None, Candidate | None]] = {}
    by_id = {each.id: each for each in written}
    back = {poem.parent: poem for poem in poems if poem.parent}
    for poem in poems:
        if _is_meant(asked, poem.id, poem.title, poem.text):
            named[poem.id] = (poem, by_id.get(poem.parent))
    for each in written:
        if _is_meant(asked, each.id, each.title, each.text):
            poem_of = back.get(each.id)
            named[poem_of.id if poem_of else each.id] = (poem_of, each)
    exact = {key: pair for key, pair in named.items() if asked in (key, pair[1].id if pair[1] else "")}
    chosen = exact or named
    if len(chosen) == 1:
        return next(iter(chosen.values()))
    if not chosen:
        raise ReviewError(
            f"no poem has the id, title or line {asked!r}; `poetune judge --json` shows ids, and a whole line will do."
        )
    shown = "; ".join(f"{key} ({_opening(*pair)})" for key, pair in list(chosen.items())[:5])
    raise ReviewError(f"{len(chosen)} poems are called {asked!r}: {shown}; give one of these ids.")


def _is_meant(asked: str, identifier: str, title: str, text: str) -> bool:
    words = asked.strip().casefold()
    if not words:
        return False
    if words == title.strip().casefold() or words in (line.strip().casefold() for line in text.split("\n")):
        return True
    return len(words) >= LEAST and identifier.startswith(words)


def _opening(poem: Poem | None, candidate: Candidate | None) -> str:
    text = poem.text if poem else candidate.text if candidate else ""
    return next((line.strip() for line in text.split("\n") if line.strip()), "")[:40]


def _poem(poem: Poem) -> Link:
    said = f"{poem.origin}, from {poem.source or 'nowhere named'}"
    said += f", by {poem.author}" if poem.author else ""
    said += f", licence {poem.licence}" if poem.licence else ""
    return Link("poem", poem.id, said, asdict(poem))


def _learned_by(studio: Studio, poem: Poem) -> list[Link]:
    """The data sets that hold a poem, with its split and weight, and the runs on them."""
    rows = {row.id: row.split for row in studio.store.all(Example, "poem = ?", [poem.id])}
    found = []
    for data in studio.store.all(Dataset):
        splits = Counter(rows[key] for key in data.examples if key in rows)
        if not splits:
            continue
        weight = data.settings.get("made_from", {}).get("weights", {}).get(poem.id)
        said = ", ".join(f"{count} {split}" for split, count in splits.items()) + f" rows of {len(data.examples)}"
        said += f", weight {weight:g}" if weight is not None else ""
        runs = [run.id for run in studio.store.all(Run, "dataset = ?", [data.id])]
        said += f"; trained by {', '.join(runs)}" if runs else "; not trained on yet"
        found.append(Link("in data set", data.id, said, {"splits": dict(splits), "weight": weight, "runs": runs}))
    return found


def _written(studio: Studio, candidate: Candidate) -> list[Link]:
    store = studio.store
    sampling = ", ".join(f"{k} {v}" for k, v in asdict(candidate.sampling).items() if v not in ((), [], ""))
    links = [
        Link(
            "candidate",
            candidate.id,
            f"round {candidate.round}, {candidate.tokens} tokens, ended by {candidate.stop}"
            + (f", held back: {candidate.gate}, {candidate.reason}" if candidate.gate else ""),
            asdict(candidate),
        ),
        Link("seed", str(candidate.seed), sampling, asdict(candidate.sampling)),
    ]
    prompt = store.one(Prompt, candidate.prompt)
    if prompt is not None:
        links.append(_prompt(studio, prompt))
    model = store.one(Model, candidate.model)
    if model is not None:
        links += _made(studio, model)
    return [*links, *_verdicts(studio, candidate), *_reviews(studio, candidate)]


def _prompt(studio: Studio, prompt: Prompt) -> Link:
    asked = conversation(studio, prompt)
    turns = " / ".join(f"{turn.role}: {turn.content}" for turn in asked.messages) or asked.raw or "plain verse"
    said = f"theme {prompt.theme!r} in {prompt.template}" if prompt.theme else f"in {prompt.template}"
    said += f", first line {prompt.opening!r}" if prompt.opening else ""
    return Link("prompt", prompt.id, f"{said}; read as {turns!r}", asdict(prompt))


def _made(studio: Studio, model: Model) -> list[Link]:
    """The model, its run and data, then the models it came from with theirs."""
    links = [*_model("model", model), *_trained(studio, model)]
    for key, share in model.mix.items():
        part = studio.store.one(Model, key)
        links += [*_model(f"part {share:g}", part), *_trained(studio, part)] if part is not None else []
    for parent in reversed(ancestors(studio.store, model)):
        links += [*_model("parent", parent), *_trained(studio, parent)]
    return links


def _model(what: str, model: Model) -> list[Link]:
    known = (("training", model.train_loss), ("validation", model.validation_loss))
    losses = [f"{name} loss {value:.3f}" for name, value in known if value is not None]
    said = ", ".join([f"{model.kind} {model.name}".strip(), f"base {model.base}", *losses])
    return [Link(what, model.id, said + (f", at {model.adapter}" if model.adapter else ""), asdict(model))]


def _trained(studio: Studio, model: Model) -> list[Link]:
    store = studio.store
    run = store.one(Run, model.run) if model.run else None
    if run is None:
        return []
    settings = dict(run.recipe.get("finetune", {}))
    seconds = store.fact(f"run:{run.id}:seconds")
    kept = len(checkpoints(store, run.id))
    said = f"{run.stage} on {run.engine}, seed {run.seed}, round {run.round}, {kept} checkpoints"
    links = [
        Link("run", run.id, said + (f", {float(seconds):.0f} s" if seconds else ""), {"dataset": run.dataset}),
        Link(
            "recipe",
            run.id,
            ", ".join(f"{k} {v}" for k, v in settings.items() if v not in ("", [], {})),
            dict(run.recipe),
        ),
    ]
    data = store.one(Dataset, run.dataset)
    return [*links, _data(studio, data)] if data is not None else links


def _data(studio: Studio, data: Dataset) -> Link:
    rows = {row.id: row for row in studio.store.all(Example)}
    mine = [rows[key] for key in data.examples if key in rows]
    splits = Counter(row.split for row in mine)
    origins = Counter(_origins(studio, {row.poem for row in mine}))
    said = ", ".join(f"{count} {split}" for split, count in splits.items()) + " rows of "
    said += ", ".join(f"{count} poem{'s' * (count > 1)} of {origin}" for origin, count in sorted(origins.items()))
    settings = {key: value for key, value in data.settings.items() if key != "made_from"}
    return Link("data set", data.id, said, {"splits": dict(splits), "poems": dict(origins), "settings": settings})


def _origins(studio: Studio, poems: set[str]) -> list[str]:
    return [
        "the corpus" if poem.origin == "corpus" else poem.origin.replace(":", " ")
        for poem in studio.store.all(Poem)
        if poem.id in poems
    ]


def _verdicts(studio: Studio, candidate: Candidate) -> list[Link]:
    found = []
    for verdict in studio.store.all(Verdict, "instr(shown, ?)", [candidate.id]):
        if candidate.id not in verdict.shown:
            continue
        place = f"{verdict.ranking.index(candidate.id) + 1} of {len(verdict.ranking)}" if verdict.ranking else "invalid"
        at = f"shown as number {verdict.shown.index(candidate.id) + 1}"
        said = f"{place} by {verdict.judge} under {verdict.rubric}, {at}"
        reason = _about(candidate.id, verdict.reason)
        said += f": {reason}" if reason else ""
        found.append(Link("verdict", verdict.id, said, asdict(verdict)))
    return found


def _about(candidate: str, reason: str) -> str:
    """Of a reason that goes through all poems by their ids (the offline critic's) what it says of this one."""
    mine = [part.partition(": ")[2] for part in reason.split("; ") if part.startswith(f"{candidate}: ")]
    return mine[0] if mine else " ".join(reason.split())[:200]


def _reviews(studio: Studio, candidate: Candidate) -> list[Link]:
    found = [_review(row) for row in studio.store.all(Review, "candidate = ?", [candidate.id])]
    for vote in studio.store.all(Vote, '"left" = ?1 OR "right" = ?1', [candidate.id]):
        side = "left" if vote.left == candidate.id else "right"
        who = f" by {vote.reviewer}" if vote.reviewer else ""
        found.append(Link("vote", vote.token, f"{vote.action}{who}, shown on the {side}", asdict(vote)))
    return found


def _review(row: Review) -> Link:
    edits: Sequence[str] = [name for name, value in (("title", row.title), ("body", row.body)) if value is not None]
    said = row.action + (f" by {row.reviewer}" if row.reviewer else "") + (f", {row.at}" if row.at else "")
    said += f", {' and '.join(edits)} edited" if edits else ""
    said += f", note: {row.note}" if row.note else ""
    return Link("review", row.token, said + (f", cancels {row.cancels}" if row.cancels else ""), asdict(row))
