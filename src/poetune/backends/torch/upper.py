"""Upper layers alone on cached states, for decoders that transformers runs."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch

from poetune.backends.ordering import runs
from poetune.backends.rows import Row
from poetune.backends.torch.filling import pad
from poetune.backends.torch.head import head_nats
from poetune.backends.torch.loading import Base
from poetune.backends.torch.placeholders import Placeholder
from poetune.backends.torch.states import States


class UpperModel:
    """A decoder whose lower layers are stand-ins; the last of them is fed the cached states."""

    def __init__(self, base: Base, fed: Placeholder, states: States) -> None:
        self.base, self.fed, self.states = base, fed, states

    def calls(self, rows: Sequence[Row], most: int) -> Iterator[Sequence[Row]]:
        """Rows of like length together."""
        return runs(rows, most, 64)

    def nats(self, rows: Sequence[Row]) -> tuple[Any, Any]:
        """As PackedModel's, from rows padded on the right."""
        device = self.base.device
        longest = max(len(row.ids) for row in rows) - 1
        self.fed.feed = pad([self.states.get(row.ids[:-1]) for row in rows], longest, device)
        owner = [i for i, row in enumerate(rows) for _ in row.ids[row.first :]]
        place = [p for row in rows for p in range(row.first - 1, len(row.ids) - 1)]
        target = [i for row in rows for i in row.ids[row.first :]]
        at = torch.tensor(owner, device=device), torch.tensor(place, device=device)
        ids = torch.zeros((len(rows), longest), dtype=torch.long, device=device)
        hidden = self.base.model.base_model(input_ids=ids, use_cache=False).last_hidden_state[at]
        return head_nats(self.base.model.get_output_embeddings(), hidden, torch.tensor(target, device=device)), at[0]
