"""How far a judge can be trusted in one run: unreadable answers, flips, slots, length, agreement with the reader."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from poetune.judge.plackett import Floats
from poetune.judge.ratings import Rating
from poetune.records import Verdict

_FEW = 5  # reviewed poems of each kind below which nothing is said about agreement


@dataclass(frozen=True, slots=True)
class Share:
    """A share or a correlation with its 95 % interval, and of how many cases it is."""

    value: float
    low: float
    high: float
    cases: int


@dataclass(frozen=True, slots=True)
class Panel:
    """`flips` are pairs ordered otherwise when the same poems were shown again; None where nothing was shown again.

    `slot` is the rank correlation of place in the ranking with place on the page (+1: the last always wins), `length`
    that of a poem's length with the share of poems it was ranked above. `agreement` is the share of pairs, one
    accepted and one rejected by the reader, that the judge orders so; None below five of each.
    """

    answers: int
    unreadable: int
    flips: Share | None
    slot: Share | None
    length: Share | None
    agreement: Share | None


def panel(
    verdicts: Sequence[Verdict],
    texts: Mapping[str, str],
    rated: Sequence[Rating],
    accepted: Collection[str],
    rejected: Collection[str],
    seed: int = 0,
) -> Panel:
    """What a run's verdicts tell of their judge."""
    valid = [v for v in verdicts if v.status == "ok" and len(v.ranking) > 1]
    chance = np.random.default_rng(seed)
    return Panel(
        answers=len(verdicts),
        unreadable=len(verdicts) - sum(v.status == "ok" for v in verdicts),
        flips=_flips(valid, chance),
        slot=_slot(valid, chance),
        length=_length(valid, texts, chance),
        agreement=_agreement({r.id: r.strength for r in rated}, accepted, rejected, chance),
    )


def words(found: Panel) -> list[str]:
    """The panel in sentences."""
    unread = _percent(found.unreadable, found.answers)
    said = [f"{found.unreadable} of {found.answers} answers could not be read ({unread})."]
    if found.flips is None:
        said.append("No block was shown twice, so nothing is known of how steady the judge is.")
    else:
        f = found.flips
        said.append(
            f"Shown the same poems again in reverse, it turned {f.value:.0%} of {f.cases} pairs round "
            f"({f.low:.0%} to {f.high:.0%}); a coin turns 50 %."
        )
    if found.slot is not None:
        said.append(_leaning(found.slot, "poems shown late", "those shown early", "the place on the page"))
    if found.length is not None:
        said.append(_leaning(found.length, "longer poems", "shorter ones", "length"))
    if found.agreement is None:
        said.append(f"Fewer than {_FEW} poems accepted and {_FEW} rejected: too few to say whether it agrees with you.")
    else:
        a = found.agreement
        verdict = (
            "it agrees with you" if a.low > 0.5 else "it goes against you" if a.high < 0.5 else "this may be chance"
        )
        said.append(
            f"Of {a.cases} pairs of a poem you accepted and one you rejected it put {a.value:.0%} your way "
            f"({a.low:.0%} to {a.high:.0%}): {verdict}."
        )
    return said


def _percent(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "0 %"


def _leaning(share: Share, more: str, less: str, what: str) -> str:
    if share.low <= 0 <= share.high:
        return f"No leaning by {what} shows (correlation {share.value:+.2f}, {share.low:+.2f} to {share.high:+.2f})."
    way = more if share.value > 0 else less
    return (
        f"It places {way} higher (correlation {share.value:+.2f}, {share.low:+.2f} to {share.high:+.2f}); "
        "the strengths are freed of it."
    )


def _merit(verdict: Verdict) -> list[int]:
    """For each slot as shown, how many poems were ranked below."""
    place = {key: len(verdict.ranking) - i for i, key in enumerate(verdict.ranking)}
    return [place[key] for key in verdict.shown]


def _flips(valid: Sequence[Verdict], chance: np.random.Generator) -> Share | None:
    groups: dict[frozenset[str], list[Verdict]] = {}
    for verdict in valid:
        groups.setdefault(frozenset(verdict.ranking), []).append(verdict)
    turned: list[tuple[int, int]] = []
    for found in groups.values():
        for first, second in combinations(found, 2):
            at = {key: i for i, key in enumerate(second.ranking)}
            pairs = [at[a] > at[b] for a, b in combinations(first.ranking, 2)]
            turned.append((sum(pairs), len(pairs)))
    return _pooled(np.array(turned, dtype=float), chance) if turned else None


def _pooled(parts: Floats, chance: np.random.Generator) -> Share:
    """Sum of numerators over sum of denominators, resampled by block."""
    value = parts[:, 0].sum() / parts[:, 1].sum()
    drawn = parts[chance.integers(len(parts), size=(1000, len(parts)))].sum(axis=1)
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], (0.025, 0.975))
    return Share(float(value), float(low), float(high), int(parts[:, 1].sum()))


def _slot(valid: Sequence[Verdict], chance: np.random.Generator) -> Share | None:
    """Mean rank correlation within blocks, resampled by block."""
    found = []
    for verdict in valid:
        slots, merit = _ranks(range(len(verdict.shown))), _ranks(_merit(verdict))
        found.append((float(slots @ merit / (slots @ slots)) * len(slots), float(len(slots))))
    return _pooled(np.array(found), chance) if found else None


def _length(valid: Sequence[Verdict], texts: Mapping[str, str], chance: np.random.Generator) -> Share | None:
    """Over poems, and resampled by poem, since a poem's length is the same each time it is shown."""
    above: dict[str, list[float]] = {}
    for verdict in valid:
        for key, merit in zip(verdict.shown, _merit(verdict), strict=True):
            if key in texts:
                above.setdefault(key, []).append((merit - 1) / (len(verdict.shown) - 1))
    if len(above) < _FEW:
        return None
    both = np.array([(len(texts[key]), np.mean(shares)) for key, shares in above.items()])

    def correlation(rows: Floats) -> float:
        x, y = _ranks(rows[:, 0]), _ranks(rows[:, 1])
        return float(x @ y / max(float(np.sqrt((x @ x) * (y @ y))), 1e-12))

    drawn = [correlation(both[chance.integers(len(both), size=len(both))]) for _ in range(300)]
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Share(correlation(both), float(low), float(high), len(both))


def _ranks(values: Sequence[float] | Floats) -> Floats:
    """Centred ranks, equals sharing theirs."""
    _, at, counts = np.unique(np.asarray(values, dtype=float), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - counts / 2)[at]
    return np.asarray(ranks - ranks.mean())


def _agreement(
    strength: Mapping[str, float], accepted: Collection[str], rejected: Collection[str], chance: np.random.Generator
) -> Share | None:
    liked, disliked = (np.array([strength[k] for k in sorted(keys) if k in strength]) for keys in (accepted, rejected))
    if min(len(liked), len(disliked)) < _FEW:
        return None
    won = (liked[:, None] > disliked) + 0.5 * (liked[:, None] == disliked)
    drawn = [
        won[chance.integers(len(liked), size=len(liked))][:, chance.integers(len(disliked), size=len(disliked))].mean()
        for _ in range(1000)
    ]
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Share(float(won.mean()), float(low), float(high), int(won.size))
