"""Stand-ins for decoder layers: they pass on what they get, or what they are fed, and remember what they got."""

from typing import Any

from torch import nn

from poetune.backends.torch.boundary import FAMILIES


class Placeholder(nn.Module):  # type: ignore[misc]
    """A layer that does nothing. `feed` (rows, tokens, size) replaces its input; `heard` is its last input."""

    def __init__(self, tuples: bool) -> None:
        super().__init__()
        self.tuples = tuples
        self.feed: Any = None
        self.heard: Any = None

    def forward(self, hidden_states: Any, *_: Any, **__: Any) -> Any:
        """Pass on."""
        self.heard = hidden_states
        given = hidden_states if self.feed is None else self.feed
        return (given,) if self.tuples else given


def layers_of(decoder: Any) -> Any:
    """The list of layers of a decoder."""
    return getattr(decoder, FAMILIES[decoder.config.model_type].layers)


def stand_in(decoder: Any) -> Placeholder:
    """A stand-in for one of its layers."""
    return Placeholder(FAMILIES[decoder.config.model_type].tuples)


def drop_below(decoder: Any, first: int) -> Placeholder:
    """Replace the layers below `first`, whose weights are freed; the last of the stand-ins is to be fed."""
    layers = layers_of(decoder)
    for number in range(first):
        layers[number] = stand_in(decoder)
    fed: Placeholder = layers[first - 1]
    return fed
