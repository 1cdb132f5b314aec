"""What the guards look at: the poems of a round and of the first, the poet's own, and losses on held-out poems."""

import math
from collections.abc import Sequence

from poetune.errors import EngineError
from poetune.ports import ScoreRequest
from poetune.records import Candidate, Dataset, Example, Model, Poem, Prompt, Run, digest
from poetune.rounds.copies import Copies, Originals
from poetune.rounds.guards import Figure, Piece, copying, diversity, loss, twins
from poetune.store.queries import best_of, candidates, models_of
from poetune.studio import dataset
from poetune.studio.house import Studio

WRITTEN, ACCEPTED, CORPUS = "what was written", "the accepted poems", "the corpus"


def figures(studio: Studio, number: int, accepted: Sequence[Poem]) -> list[Figure]:
    """All figures of a round whose review gave `accepted`."""
    poems = studio.store.all(Poem)
    originals = [poem for poem in poems if poem.origin == "corpus"]
    settings = studio.recipe.rounds
    now, start = pieces(studio, candidates(studio.store, number)), _first(studio, number)
    name = f"round {start}"
    found: list[Figure] = []
    if start:
        before = pieces(studio, candidates(studio.store, start))
        found += diversity(now, before, WRITTEN, name, settings.least_diversity, themes=True)
    given = [Piece(poem.theme, poem.text) for poem in accepted]
    human = [Piece("", poem.text) for poem in originals]
    found += diversity(given, human, ACCEPTED, CORPUS, settings.least_beside_corpus, themes=False)
    found.append(_loss(studio, number, start))
    return found + _copying(studio, number, start, accepted)


def pieces(studio: Studio, written: Sequence[Candidate]) -> list[Piece]:
    """Candidates with their themes, without those that came to nothing."""
    prompts = {prompt.id: prompt for prompt in studio.store.all(Prompt)}
    return [
        Piece(_theme(prompts.get(each.prompt)), each.text)
        for each in written
        if each.text.strip() and each.stop != "error"
    ]


def _theme(prompt: Prompt | None) -> str:
    return (prompt.theme or prompt.opening) if prompt else ""


def _first(studio: Studio, number: int) -> int:
    """The first round that wrote poems, before this one; 0 where there is none."""
    return next((n for n in range(1, number) if candidates(studio.store, n)), 0)


def best_of_round(studio: Studio, number: int) -> Model | None:
    """The checkpoint of the recipe's engine that stands for a round."""
    engine = studio.engine().capabilities.name
    return best_of([model for model in models_of(studio.store, number) if model.engine == engine])


def _loss(studio: Studio, number: int, start: int) -> Figure:
    """Of the round's best checkpoint, beside the first round's, or the base's where this is the first."""
    rise, of = studio.recipe.rounds.loss_rise, f"the model of round {number}"
    now = best_of_round(studio, number)
    before = (best_of_round(studio, start) if start else studio.base_of(now)) if now else None
    against = f"round {start}" if start else "the base"
    if now is None or before is None or not studio.engine().capabilities.scores:
        return loss(None, None, of, against, rise)
    rows = held_out(studio, [now, before])
    return loss(held_out_loss(studio, before, rows), held_out_loss(studio, now, rows), of, against, rise)


def held_out(studio: Studio, models: Sequence[Model]) -> list[Example]:
    """The rows of human poems that none of these models learned, as the first of them was trained."""
    sets = [rows for model in models if (rows := _rows(studio, model))]
    learned = {row.poem for rows in sets for row in rows if row.split == "train"}
    human = {poem.id for poem in studio.store.all(Poem, "origin = 'corpus'")}
    return [row for row in (sets[0] if sets else []) if row.poem in human - learned]


def held_out_loss(studio: Studio, model: Model, rows: Sequence[Example]) -> float | None:
    """Bits a byte over the rows' completions, measured once; None without rows or where the weights are gone."""
    if not rows:
        return None
    key = f"model:{model.id}:held-out:{digest([row.id for row in rows])}"
    known = studio.store.fact(key)
    if known:
        return float(known)
    try:
        weights = studio.weights(model)
    except EngineError as error:
        studio.say(f"the held-out loss of {model.name} is not measured: {error}")
        return None
    studio.listener.begin(f"held-out loss ({model.name})", len(rows))
    try:
        scores = studio.generator().score(
            [ScoreRequest(weights, row.completion, row.conversation, row.plain) for row in rows]
        )
    finally:
        studio.listener.end()
    nats = -math.fsum(score.log_likelihood for score in scores)
    found = nats / math.log(2) / sum(len(row.completion.encode()) for row in rows)
    studio.store.remember(key, repr(found))
    return found


def _rows(studio: Studio, model: Model) -> list[Example]:
    run = studio.store.one(Run, model.run) if model.run else None
    data = studio.store.one(Dataset, run.dataset) if run else None
    return dataset.examples(studio, data) if data else []


def _copying(studio: Studio, number: int, start: int, accepted: Sequence[Poem]) -> list[Figure]:
    rise = studio.recipe.rounds.copying_rise
    index, bare = learned_from(studio, best_of_round(studio, number))
    written = index.copies(piece.text for piece in pieces(studio, candidates(studio.store, number)))
    first = index.copies(piece.text for piece in pieces(studio, candidates(studio.store, start))) if start else Copies()
    poet = "the poet's own held-out poems"
    found = copying(written, first, bare, WRITTEN, f"round {start} and {poet}" if start else poet, rise)
    found += copying(index.copies(poem.text for poem in accepted), Copies(), bare, ACCEPTED, poet, rise)
    return [*found, twins(index.twins({poem.id: poem.text for poem in accepted}))]


def learned_from(studio: Studio, model: Model | None) -> tuple[Originals, Copies]:
    """The originals that a model learned (all, where that is not known), and what the poet's others share with them."""
    settings, originals = studio.recipe.score, studio.store.all(Poem, "origin = 'corpus'")
    learned = {row.poem for row in (_rows(studio, model) if model else []) if row.split == "train"}
    known = [poem for poem in originals if poem.id in learned] or originals
    index = Originals({poem.id: poem.text for poem in known}, settings.copied_words, settings.copied_characters)
    human = index.copies(poem.text for poem in originals if learned and poem.id not in learned)
    return index, human if human.countable else Copies(share=0.0, grams=0.0)
