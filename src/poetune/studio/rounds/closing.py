"""A round closes: what was accepted enters the corpus, unless a guard refuses; then the next round opens."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace

from poetune.errors import ReviewError
from poetune.records import Poem, Prompt, Round
from poetune.rounds.guards import GUARDS, Figure, refused
from poetune.rounds.harvest import Kept, harvest
from poetune.store.queries import candidates
from poetune.studio import dataset
from poetune.studio.house import Studio
from poetune.studio.init import now
from poetune.studio.review import held
from poetune.studio.rounds.measuring import figures


@dataclass(frozen=True, slots=True)
class Closed:
    """A round that closed, or that would (`dry`): what it gave, its figures, and the share of own tokens from now on.

    `number` is the round that opened; `offered` the share that own poems would have if all their rows were trained on.
    """

    number: int
    closed: int
    poems: int
    accepted: int
    own_share: float
    offered: float
    figures: list[Figure]
    overruled: Sequence[str]
    dry: bool


def list_rounds(studio: Studio) -> list[Round]:
    """All rounds by number; the first, while it is open, has the poems that are there now."""
    found = sorted(studio.store.all(Round), key=lambda r: r.number)
    return [replace(r, poems=r.poems or studio.store.count(Poem)) for r in found]


def returning(studio: Studio) -> list[Poem]:
    """What the open round would give back. Raises ReviewError where that is nothing."""
    current = studio.round
    accepted = {k: d for k, d in held(studio, current.number).items() if d.action == "accept"}
    if not accepted:
        raise ReviewError(f"nothing was accepted in round {current.number}; accept poems in `poetune review` first.")
    found = harvest(
        candidates(studio.store, current.number),
        {prompt.id: prompt for prompt in studio.store.all(Prompt)},
        [Kept(key, d.title, d.body) for key, d in accepted.items()],
        current.number,
        studio.store.all(Poem),
        licence=studio.recipe.ship.licence,
    )
    if not found:
        raise ReviewError(
            f"every poem accepted in round {current.number} is in the corpus already; "
            "accept others in `poetune review` first."
        )
    return found


def close(studio: Studio, accept_guards: Collection[str] = (), *, dry: bool = False) -> Closed:
    """Close the open round and open the next, all or nothing; with `dry`, only look.

    Raises ReviewError where nothing new was accepted, or a guard fails that is not among `accept_guards`.
    """
    strange = sorted(set(accept_guards) - set(GUARDS))
    if strange:
        raise ReviewError(f"no guard is called {', '.join(strange)}; there are {', '.join(GUARDS)}.")
    current, returned = studio.round, returning(studio)
    found = figures(studio, current.number, returned)
    failing = refused(found, accept_guards)
    if failing and not dry:
        names = list(dict.fromkeys(figure.guard for figure in failing))
        raise ReviewError(
            f"round {current.number} stays open, because a guard failed: "
            f"{', and '.join(figure.sentence() for figure in failing)}; train or write anew, accept other poems, or "
            f"take it as it is by `poetune rounds close{''.join(f' --accept-guard {name}' for name in names)}`."
        )
    overruled = sorted({figure.guard for figure in found if figure.failed} & set(accept_guards))
    before = studio.store.count(Poem)
    mixed = dataset.mixed(studio, [*studio.store.all(Poem), *returned])
    done = Closed(
        current.number + 1,
        current.number,
        before + len(returned),
        len(returned),
        mixed.own_share,
        mixed.offered,
        found,
        overruled,
        dry,
    )
    if dry:
        return done
    row = replace(
        current,
        poems=current.poems or before,
        accepted=tuple(poem.id for poem in returned),
        guards={
            "own_share": mixed.own_share,
            "offered": mixed.offered,
            "figures": [asdict(figure) for figure in found],
        },
        closed=now(),
        weights=dict(mixed.weights),
        overruled=tuple(overruled),
    )
    with studio.store.transaction():
        if studio.round.number != current.number:
            raise ReviewError(f"round {current.number} was closed by someone else meanwhile; nothing was changed.")
        studio.store.add(returned)
        studio.store.replace_round(row)
        studio.store.replace_round(Round(current.number + 1, done.poems, opened=now()))
    return done
