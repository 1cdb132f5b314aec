"""Where copied lines stand in a poem, as pieces that a page can mark."""

from collections.abc import Sequence

from poetune.verse.overlap import Copied

Piece = tuple[str, int]  # text, and the number of its source; -1 for the poem's own words


def marked(text: str, copies: Sequence[Copied], sources: Sequence[str]) -> tuple[tuple[Piece, ...], ...]:
    """The lines of `text`, each as pieces that add up to it; a copied line, or 句 of one, is a piece of its own."""
    number = {source: n for n, source in enumerate(sources)}
    spans: list[tuple[int, int, int]] = []
    at = 0
    for copy in copies:  # in the order of the text, as the index gives them
        start = text.find(copy.line, at)
        if start >= 0:
            at = start + len(copy.line)
            spans.append((start, at, number[copy.source]))
    rows: list[tuple[Piece, ...]] = []
    begin = 0
    for line in text.split("\n"):
        end = begin + len(line)
        pieces: list[Piece] = []
        here = begin
        for start, stop, source in spans:
            if begin <= start and stop <= end:
                pieces += [(text[here:start], -1), (text[start:stop], source)]
                here = stop
        pieces.append((text[here:end], -1))
        rows.append(tuple(piece for piece in pieces if piece[0]))
        begin = end + 1
    return tuple(rows)
