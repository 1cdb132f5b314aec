"""One adapter for each poet of a corpus: the last stage, on that poet's poems alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from poetune.dataset.selecting import author_key
from poetune.errors import CorpusError
from poetune.finetune.mixing import slug
from poetune.recipe import Stage
from poetune.records import Model, Poem
from poetune.store.queries import set_role
from poetune.studio.finetune.blending import best_checkpoint
from poetune.studio.finetune.chain import chain, forget_lost, train
from poetune.studio.finetune.dialling import written_by
from poetune.studio.finetune.fitting import Staged, fit
from poetune.studio.finetune.planning import plan
from poetune.studio.finetune.sweeping import last_start
from poetune.studio.house import Studio
from poetune.verse.authorship import Authors

FEWEST = 10  # poems of an author below which no adapter is trained unless they are named


@dataclass(frozen=True, slots=True)
class Poets:
    """What each poet's training gave, and the authors that had too few poems.

    `named`: by author, the share of the poems of their adapter that a classifier over all authors calls theirs; it
    names `accuracy` of the authors' own poems rightly, each left out in turn. Empty and None where nothing was asked.
    """

    trained: list[Staged]
    left_out: list[str]
    named: dict[str, float] = field(default_factory=dict)
    accuracy: float | None = None


def poets(studio: Studio, authors: Sequence[str] = (), poems: int = 0) -> Poets:
    """Train what is not trained yet, and let a classifier name the poet of `poems` poems by each adapter.

    Raises CorpusError where no author has enough poems, RecipeError for an author that the corpus does not have.
    """
    counted = _counted(studio)
    wanted = list(authors) or [name for name, count in counted.items() if count >= FEWEST]
    left_out = [] if authors else [name for name, count in counted.items() if count < FEWEST]
    if not wanted:
        raise CorpusError(
            f"no author has {FEWEST} poems; add poems with their authors by `poetune corpus`, or name one by --author."
        )
    stages = chain(studio)
    if len(stages) > 1:
        train(studio, stages[-2].name)
    start = last_start(studio)
    forget_lost(studio)
    done, models = [], {}
    for number, author in enumerate(wanted, 1):
        studio.say(f"poet {number} of {len(wanted)}: {author}")
        planned = plan(studio, _stage(stages[-1], author), start)
        set_role(studio.store, planned.run.id, "poet")
        done.append(fit(studio, planned, start, planned.stage.name, tell=number == 1))
        models[author_key(author)] = best_checkpoint(studio, planned.run.id, planned.stage.name)
    if not poems:
        return Poets(done, left_out)
    named, accuracy = _named(studio, models, poems)
    return Poets(done, left_out, named, accuracy)


def _named(studio: Studio, models: Mapping[str, Model], poems: int) -> tuple[dict[str, float], float]:
    texts: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    for poem in studio.store.all(Poem):
        if poem.author and poem.origin == "corpus":
            names.setdefault(author_key(poem.author), poem.author)
            texts.setdefault(author_key(poem.author), []).append(poem.text)
    tellers, named = Authors(texts), {}
    for key, model in models.items():
        called = tellers.attribute([poem.text for poem in written_by(studio, model, poems)])
        named[names[key]] = sum(each.author == key for each in called) / len(called)
    return named, tellers.tested.accuracy


def _counted(studio: Studio) -> dict[str, int]:
    """Poems of the corpus by author, most first."""
    names, counts = dict[str, str](), dict[str, int]()
    for poem in studio.store.all(Poem):
        key = author_key(poem.author)
        if key and slug(poem.author):
            names.setdefault(key, poem.author)
            counts[key] = counts.get(key, 0) + 1
    return {names[key]: count for key, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))}


def _stage(last: Stage, author: str) -> Stage:
    own = {name: getattr(last, name) for name in last.model_fields_set}
    return Stage.model_validate({**own, "name": slug(author), "authors": [author]})
