"""One poem being written, token by token: its random numbers, its stops, what it must not say again."""

from collections.abc import Sequence

import numpy as np

from poetune.backends.endings import continuation, cut_lines, first_of, full_lines, settled
from poetune.backends.rendering import Renderer
from poetune.ports import Request, Written
from poetune.records import Stop


class PoemRow:
    """One poem of a batch. `poem` holds the ids of the conversation's prefix, then those written.

    `uniform` are its random numbers in [0, 1), one a token, from its own seed (Philox): no neighbour changes them.
    """

    def __init__(self, renderer: Renderer, context: int, request: Request) -> None:
        self.renderer, self.request, self.sampling = renderer, request, request.sampling
        self.prompt = renderer.prompt(request.conversation)
        self.poem = renderer.completion(request.conversation.prefix)
        self.opened = len(self.poem)
        self.limit = min(self.sampling.max_tokens, context - len(self.prompt))
        self.uniform = np.random.Generator(np.random.Philox(key=request.seed % 2**64)).random(max(0, self.limit))
        self.repeats = NGrams(self.sampling.no_repeat_ngram, self.poem)
        self.drawn = 0
        self.stop: Stop | None = None if self.limit > 0 else "error"

    @property
    def written(self) -> int:
        """Tokens written so far, EOS not counted."""
        return len(self.poem) - self.opened

    def take(self, token: int) -> None:
        """Add a token, or end."""
        self.drawn += 1
        if token in self.renderer.stops:
            self.stop = "eos"
            return
        self.poem.append(token)
        self.repeats.add(self.poem)
        most = self.sampling.max_lines
        if self.sampling.stop and first_of(self.whole(), self.sampling.stop) is not None:
            self.stop = "sequence"
        elif most and token in self.renderer.line_break_ids and full_lines(self.whole()) >= most:
            self.stop = "lines"
        elif self.written >= self.limit:
            self.stop = "length"
        if self.request.heard and not self.stop:
            so_far = settled(self.whole(), self.sampling.stop)
            self.request.heard(continuation(so_far, self.request.conversation.prefix))

    def result(self) -> Written:
        """The poem as it stands."""
        whole = self.whole()
        if self.stop == "lines":
            whole = cut_lines(whole, self.sampling.max_lines)
        elif self.stop == "sequence":
            whole = whole[: first_of(whole, self.sampling.stop)]
        whole = whole.rstrip("\ufffd")  # a character of which the last tokens were not written
        text = continuation(whole, self.request.conversation.prefix)
        return Written(self.request.id, text, self.stop or "error", self.written)

    def whole(self) -> str:
        """The poem from its first word. The prefix is what was asked, even where decoding would spell it otherwise."""
        decode, prefix = self.renderer.decode, self.request.conversation.prefix
        if not prefix:
            return decode(self.poem)
        return prefix + decode(self.poem)[len(decode(self.poem[: self.opened])) :]


class NGrams:
    """The n-grams of one poem; n = 0 is off."""

    def __init__(self, n: int, poem: Sequence[int]) -> None:
        self.n = n
        self._after: dict[tuple[int, ...], set[int]] = {}
        for end in range(n, len(poem) + 1) if n else ():
            self.add(poem[:end])

    def add(self, poem: Sequence[int]) -> None:
        """Take up the n-gram that ends the poem."""
        if self.n and len(poem) >= self.n:
            *head, last = poem[-self.n :]
            self._after.setdefault(tuple(head), set()).add(last)

    def banned(self, poem: Sequence[int]) -> set[int]:
        """Ids that would complete an n-gram once more."""
        if not self.n or len(poem) < self.n - 1:
            return set()
        return self._after.get(tuple(poem[len(poem) - self.n + 1 :]), set())
