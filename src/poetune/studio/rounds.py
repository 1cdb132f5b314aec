"""What was kept goes back: accepted poems enter the corpus, and the next round opens."""

from dataclasses import dataclass, replace

from poetune.errors import ReviewError
from poetune.records import Poem, Prompt, Round
from poetune.rounds.guards import guards
from poetune.rounds.harvest import Kept, harvest
from poetune.store.queries import candidates
from poetune.studio.house import Studio
from poetune.studio.init import now
from poetune.studio.review import held


@dataclass(frozen=True, slots=True)
class Opened:
    """The round that opened, and what the closed one gave."""

    number: int
    closed: int
    poems: int
    accepted: int
    notes: list[str]


def list_rounds(studio: Studio) -> list[Round]:
    """All rounds by number; the first, while it is open, has the poems that are there now."""
    found = sorted(studio.store.all(Round), key=lambda r: r.number)
    return [replace(r, poems=r.poems or studio.store.count(Poem)) for r in found]


def open_next(studio: Studio) -> Opened:
    """Close the open round and open the next. Raises ReviewError where nothing new was accepted."""
    current = studio.round
    accepted = {k: d for k, d in held(studio, current.number).items() if d.action == "accept"}
    if not accepted:
        raise ReviewError(f"nothing was accepted in round {current.number}; accept poems in `poetune review` first.")
    corpus = studio.store.all(Poem)
    prompts = {p.id: p for p in studio.store.all(Prompt)}
    returned = harvest(
        candidates(studio.store, current.number),
        prompts,
        [Kept(key, d.title, d.body) for key, d in accepted.items()],
        current.number,
        corpus,
        licence=studio.recipe.ship.licence,
    )
    if not returned:
        raise ReviewError(
            f"every poem accepted in round {current.number} is in the corpus already; "
            "accept others in `poetune review` first."
        )
    found = guards(corpus, returned, studio.recipe.rounds.most_own)
    with studio.store.transaction():
        studio.store.add(returned)
        total = studio.store.count(Poem)
        studio.store.replace_round(
            replace(
                current,
                poems=current.poems or len(corpus),
                accepted=tuple(poem.id for poem in returned),
                guards=found.figures(),
            )
        )
        studio.store.replace_round(Round(current.number + 1, total, opened=now()))
    return Opened(current.number + 1, current.number, total, len(returned), list(found.notes))
