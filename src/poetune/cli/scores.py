"""Comparisons as tables on a terminal."""

from typing import TYPE_CHECKING

from poetune.cli.tables import figure, table

if TYPE_CHECKING:
    from poetune.score.contents import Figures
    from poetune.score.contest import Contest, Tally

HEAD = ("poems by", "poems", "ended", "lines", "Delta over own", "named", "copied", "variety")
MEANING = (
    "Delta over own: Burrows's Delta above what the poet's own unseen poems have, 0 is as close as they; named: share "
    "that the classifier gives to the poet; copied: lines that stand in training poems; variety: distinct-2."
)


def cells(found: "Figures") -> tuple[str, ...]:
    """A set of poems under HEAD."""
    return (
        found.label,
        str(found.poems),
        f"{found.ended:.0%}",
        f"{found.lines:.1f}",
        "-" if found.delta is None else f"{found.delta:+.3f}",
        percent(found.named),
        f"{found.copied:.1%}",
        figure(found.variety),
    )


def percent(value: float | None) -> str:
    """A share, or a dash."""
    return "-" if value is None else f"{value:.0%}"


def contest(found: "Contest") -> str:
    """Figures of each contestant, then who was preferred to whom."""
    rows = [(*cells(w.figures), preferred(w.judge), preferred(w.people)) for w in found.writers]
    out = [
        f"{len(found.writers)} contestants on {found.prompts} prompts, the same seeds for all.",
        "",
        table((*HEAD, "judge", "people"), rows),
        MEANING,
    ]
    if found.judge:
        duels = [(f"{d.first} over {d.second}", preferred(d.judge), preferred(d.people)) for d in found.duels]
        out += ["", table(("preferred", "judge", "people"), duels)]
        asked = sum(d.judge.whole for d in found.duels)
        out.append(
            f"Judged by {found.judge}, each pair in both orders: {found.flips} of {asked} pairs changed with the order "
            f"and count as even, {found.invalid} answers could not be read. Shares with 95 % intervals."
        )
    if not any(d.people.whole for d in found.duels):
        out.append("No person has voted yet: poetune review --compare A B opens the page for blind votes.")
    return "\n".join([*out, *found.said])


def preferred(tally: "Tally") -> str:
    """A tally in words: the share with its interval, or counts alone where they are too few for one."""
    if not tally.whole:
        return "-"
    if tally.share is None or tally.interval is None:
        return f"{tally.first} of {tally.whole}"
    low, high = tally.interval
    return f"{tally.share:.0%} ({low:.0%} to {high:.0%})"
