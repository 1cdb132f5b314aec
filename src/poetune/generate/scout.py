"""A tenth of the grid first: which checkpoints and templates deserve the rest, and which template suits which themes.

All models and templates write the same few themes with the same seeds, so every theme is a contest of its own: a poem
gets the share of the others on its theme that it beats, by whatever ranks them. Intervals come from drawing the themes
anew, since poems on one theme stand or fall together. What is left behind is told by Tukey's range test, made by
shuffling the poems of each theme among all that wrote on it: were all equal, one try in twenty would leave any behind.
"""

import math
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from poetune.generate.themes import Theme
from poetune.records import digest

SHARE = 0.1
FEWEST = 3  # themes under which an interval would say nothing
DRAWS = 500
CLEARLY = 0.05  # share of shuffles with as wide a gap between any two, under which one is left behind
OPENING = "first line"


@dataclass(frozen=True, slots=True)
class Seen:
    """A poem of the scouted part: `worth` is None where a gate holds it back, which puts it behind all others."""

    model: str
    template: str
    theme: str
    kind: str
    worth: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """A checkpoint or a template: mean share of poems beaten (0..1, half is average) with its 90 % interval.

    `passed` is the share that no gate held back; `chance` how often shuffling alone makes as wide a gap to the best.
    """

    name: str
    poems: int
    passed: float
    mean: float
    low: float
    high: float
    chance: float

    @property
    def kept(self) -> bool:
        """Whether it is not clearly worse than the best."""
        return self.chance >= CLEARLY


def chosen(themes: Sequence[Theme], per_cell: int, seed: int, share: float = SHARE) -> list[Theme]:
    """So many themes that one poem each costs `share` of the grid (three at least), from all groups in turn."""
    wanted = min(len(themes), max(FEWEST, math.ceil(share * len(themes) * per_cell)))
    groups: dict[str, list[Theme]] = {}
    for theme in sorted(themes, key=lambda theme: digest("scout", seed, theme.text)):
        groups.setdefault(theme.group, []).append(theme)
    waves = max(map(len, groups.values()), default=0)
    turns = [group[i] for i in range(waves) for _, group in sorted(groups.items()) if i < len(group)]
    return turns[:wanted]


def points(seen: Sequence[Seen]) -> list[float]:
    """Of each poem, the share of the other poems on its theme that it beats; a draw counts half."""
    places: dict[str, list[int]] = {}
    for i, one in enumerate(seen):
        places.setdefault(one.theme, []).append(i)
    found = [0.5] * len(seen)
    for members in places.values():
        for i in members:
            mine = _order(seen[i])
            beaten = sum((mine > _order(seen[j])) + 0.5 * (mine == _order(seen[j])) for j in members if j != i)
            found[i] = beaten / (len(members) - 1) if len(members) > 1 else 0.5
    return found


def _order(one: Seen) -> float:
    return -math.inf if one.worth is None else one.worth


def ranked(seen: Sequence[Seen], of: Callable[[Seen], str], seed: int = 0) -> list[Row]:
    """Checkpoints (`of` gives the model) or templates, best first."""
    scored = list(zip(seen, points(seen), strict=True))
    names = list(dict.fromkeys(of(one) for one in seen))
    themes = list(dict.fromkeys(one.theme for one in seen))
    sums: dict[tuple[str, str], tuple[float, int]] = {}
    for one, point in scored:
        total, count = sums.get((of(one), one.theme), (0.0, 0))
        sums[of(one), one.theme] = total + point, count + 1
    means = _means(names, themes, sums)
    best = max(names, key=lambda name: means[name], default="")
    draws = random.Random(seed)  # noqa: S311 - no secret
    drawn = [_means(names, draws.choices(themes, k=len(themes)), sums) for _ in range(DRAWS)]
    gaps = _gaps([[(of(one), point) for one, point in scored if one.theme == theme] for theme in themes], draws)
    rows = []
    for name in names:
        mine = [one for one in seen if of(one) == name]
        spread = sorted(draw[name] for draw in drawn)
        chance = sum(gap >= means[best] - means[name] - 1e-9 for gap in gaps) / len(gaps)
        passed = sum(one.worth is not None for one in mine) / len(mine)
        low, high = spread[DRAWS // 20], spread[-1 - DRAWS // 20]
        rows.append(Row(name, len(mine), passed, means[name], low, high, chance))
    return sorted(rows, key=lambda row: -row.mean)


def _gaps(blocks: Sequence[Sequence[tuple[str, float]]], draws: random.Random) -> list[float]:
    """Between the best and the worst mean, in shuffles of each theme's points among its poems."""
    counts = Counter(name for block in blocks for name, _ in block)
    found = []
    for _ in range(DRAWS):
        totals = dict.fromkeys(counts, 0.0)
        for block in blocks:
            values = [point for _, point in block]
            draws.shuffle(values)
            for (name, _), point in zip(block, values, strict=True):
                totals[name] += point
        means = [totals[name] / count for name, count in counts.items()]
        found.append(max(means) - min(means))
    return found


def _means(
    names: Sequence[str], themes: Sequence[str], sums: Mapping[tuple[str, str], tuple[float, int]]
) -> dict[str, float]:
    found = {}
    for name in names:
        parts = [sums.get((name, theme), (0.0, 0)) for theme in themes]
        count = sum(part[1] for part in parts)
        found[name] = sum(part[0] for part in parts) / count if count else 0.5
    return found


def by_kind(seen: Sequence[Seen]) -> dict[str, dict[str, tuple[float, int]]]:
    """Mean points and how many poems, by template and kind of theme."""
    cells: dict[str, dict[str, list[float]]] = {}
    for one, point in zip(seen, points(seen), strict=True):
        cells.setdefault(one.template, {}).setdefault(one.kind or "themes", []).append(point)
    return {
        template: {kind: (sum(found) / len(found), len(found)) for kind, found in kinds.items()}
        for template, kinds in cells.items()
    }
