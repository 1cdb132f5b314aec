"""Comparisons as tables on a terminal."""

from typing import TYPE_CHECKING

from poetune.cli.tables import figure, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from poetune.score.contents import Courses, Figures
    from poetune.score.contest import Contest, Tally
    from poetune.studio.score.checkpoints import Checkpoints
    from poetune.verse.drift import Stretch

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
        first, last = found.writers[0].figures.label, found.writers[-1].figures.label
        out.append(f'No person has voted yet: poetune review --compare "{first}" "{last}" opens the page for it.')
    return "\n".join([*out, *found.said])


def checkpoints(found: "Checkpoints") -> str:
    """A run's checkpoints, and which to take."""
    rows = [(*cells(each.figures), figure(each.train_loss), figure(each.validation_loss)) for each in found.steps]
    out = [table((*HEAD, "train loss", "held-out loss"), rows), MEANING]
    if found.own_copied is not None:
        out.append(f"The poet's own held-out poems repeat {found.own_copied:.1%} of their lines from the others.")
    if found.gone:
        out.append(f"No longer on disk, so left out: step {', '.join(map(str, found.gone))}.")
    if found.advice:
        out += ["", f"Take step {found.advice.step}.", *found.advice.why]
    return "\n".join([*out, *found.said])


def courses(found: "Courses") -> str:
    """Ways of writing, and how the share of prose grows along their poems."""
    most = max((len(_bar(way.stretches)) for way in found.ways), default=0)
    rows = [(*cells(w.figures), _bar(w.stretches).ljust(most), _turn(w.turn, found.unit)) for w in found.ways]
    return "\n".join(
        [
            table((*HEAD, "prose along the poem", "turns to prose"), rows),
            MEANING,
            f"Prose along the poem: a sign for every 10 {found.unit}, as high as the share of poems that are there in "
            f"lines of more than {found.longest} {found.unit}, longer than 19 in 20 of the poet's; of the poet's own "
            f"poems at most {found.usual:.0%} do.",
            *found.said,
        ]
    )


def _bar(stretches: "Sequence[Stretch]") -> str:
    return "".join(" ▁▂▃▄▅▆▇█"[round(8 * stretch.share)] for stretch in stretches[:30]).replace(" ", "·")


def _turn(at: int | None, unit: str) -> str:
    return "never" if at is None else f"after {at} {unit}" if at else "at once"


def preferred(tally: "Tally") -> str:
    """A tally in words: the share with its interval, or counts alone where they are too few for one."""
    if not tally.whole:
        return "-"
    if tally.share is None or tally.interval is None:
        return f"{tally.first} of {tally.whole}"
    low, high = tally.interval
    return f"{tally.share:.0%} ({low:.0%} to {high:.0%})"
