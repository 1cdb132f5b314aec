"""Many checkpoints of one grid: each by itself with its weights merged, or several in one batch.

Merged weights cost nothing a token, but a checkpoint must be put on, and its batch runs empty at the end: the longest
poem ends alone. Checkpoints that write few poems each lose more by that than two thin products a module cost.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from poetune.backends.bases import resolve
from poetune.backends.checkpoints import is_whole
from poetune.backends.local import by_weights
from poetune.backends.poem import PoemRow
from poetune.backends.torch.bank import Bank, Lora, read_lora
from poetune.backends.torch.beams import write_beams
from poetune.backends.torch.continuous import queues, write_queue, write_rows
from poetune.backends.torch.loading import Base
from poetune.ports import Request, Weights, Written

FILLS = 4  # batches of poems with which a checkpoint is merged: at two, one batch for all was still a quarter faster
RANKS = 128  # of all adapters in a batch together


@dataclass(frozen=True, slots=True)
class House:
    """The engine, as far as writing goes.

    `wear` gives the base with an adapter merged and no other, `again` the same if the caller has put something else on
    meanwhile; `check` refuses an adapter that is missing or of another base.
    """

    batch: int
    wear: Callable[[Weights], Base]
    again: Callable[[Weights, Base], None]
    check: Callable[[Path, Path], None]


def write_all(house: House, requests: Iterable[Request]) -> Iterator[Written]:
    """Every request's poem."""
    groups = by_weights(requests)
    few = {weights: group for weights, group in groups.items() if len(group) < FILLS * house.batch}
    left = Counter(weights.base for weights in groups)
    for base in dict.fromkeys(weights.base for weights in few):
        for pool in _pools(house, base, few):
            left[base] -= len(pool)
            yield from _together(
                house, base, pool, [r for weights in pool for r in groups.pop(weights)], left[base] > 0
            )
    for weights, group in groups.items():
        left[weights.base] -= 1
        yield from _alone(house, weights, group, left[weights.base] > 0)


def _pools(house: House, base: str, few: Mapping[Weights, list[Request]]) -> list[dict[Weights, Lora | None]]:
    """Checkpoints that write in one batch; those that are in none write alone."""
    asked = [w for w, group in few.items() if w.base == base and all(r.sampling.beams <= 1 for r in group)]
    if len(asked) < 2 or not queues(house.wear(Weights(base))):
        return []
    pools: list[dict[Weights, Lora | None]] = [{}]
    ranks = 0
    for weights in asked:
        lora = None
        if weights.adapter:
            folder = Path(weights.adapter)
            house.check(folder, resolve(base))
            lora = None if is_whole(folder) else read_lora(folder)
            if lora is None:
                continue
            if ranks + lora.rank > RANKS and pools[-1]:
                pools.append({})
                ranks = 0
            ranks += lora.rank
        pools[-1][weights] = lora
    return [pool for pool in pools if len(pool) > 1]


def _together(
    house: House, name: str, pool: Mapping[Weights, Lora | None], requests: list[Request], more: bool
) -> Iterator[Written]:
    bare = Weights(name)
    base = house.wear(bare)
    loras = {weights: lora for weights, lora in pool.items() if lora is not None}
    bank = Bank(list(loras.values()), base.model.get_input_embeddings().weight)
    rows = [PoemRow(base.renderer, base.context, request) for request in requests]
    rows.sort(key=lambda row: (len(row.prompt), row.prompt))  # equal prompts enter together
    numbers = {weights: number for number, weights in enumerate(loras)}
    wears = [numbers.get(row.request.weights, -1) for row in rows]
    base.lower.keeps = True  # checkpoints of this batch may read a prompt at different times
    for written in write_queue(base, rows, house.batch, bank, wears):
        yield written
        house.again(bare, base)
    if not more:
        base.lower.clear()


def _alone(house: House, weights: Weights, group: list[Request], more: bool) -> Iterator[Written]:
    """`more`: other checkpoints of the base are still to write."""
    base = house.wear(weights)
    base.lower.keeps = more
    rows = [PoemRow(base.renderer, base.context, request) for request in group]
    rows.sort(key=lambda row: (len(row.prompt), row.prompt))
    for written in write_rows(base, [row for row in rows if row.sampling.beams <= 1], house.batch):
        yield written
        house.again(weights, base)
    if not more:
        base.lower.clear()
    for row in rows:
        if row.sampling.beams > 1:
            yield write_beams(base, row)
            house.again(weights, base)
