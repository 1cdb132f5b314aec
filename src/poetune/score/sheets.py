"""What was measured, as sheets of the report: contestants, checkpoints, courses, novelty, variety, themes, readers."""

from collections.abc import Mapping, Sequence

from poetune.score.chart import Chart, Line
from poetune.score.checkpoints import Advice
from poetune.score.contents import Courses, Figures, Step
from poetune.score.contest import Contest, Tally
from poetune.score.sheet import Column, Sheet, Value
from poetune.verse.drift import STRETCH

_FIGURES = (
    Column("poems", "How many poems the figures rest on.", "count"),
    Column("ended", "Share of poems that ended of themselves, not at a limit.", "share"),
    Column("lines", "Lines a poem, on average.", "number"),
    Column(
        "Delta",
        "Burrows's Delta above what the poet's own unseen poems have: at +0.00 the words are as close as theirs.",
        "signed",
    ),
    Column("named", "Share of poems that the author classifier gives to the poet.", "share"),
    Column("copied", "Share of lines that stand word for word in a poem the model was trained on.", "tenth"),
    Column("variety", "Distinct-2 over as much text for each: the share of neighbouring words that are new.", "number"),
)


def _cells(found: Figures) -> tuple[Value, ...]:
    return (found.poems, found.ended, found.lines, found.delta, found.named, found.copied, found.variety)


def _share(tally: Tally) -> Value:
    return None if tally.share is None or tally.interval is None else (tally.share, *tally.interval)


def contest_sheets(found: Contest) -> tuple[Sheet, ...]:
    """The contestants, and who was preferred to whom."""
    names = (("judge", "by the judge, each pair shown in both orders"), ("people", "by people who voted blind"))
    votes = tuple(
        Column(
            name, f"Share of comparisons won {how}, an undecided one counting half, with its 95 % interval.", "share"
        )
        for name, how in names
    )
    said = list(found.said)
    if found.judge:
        asked = sum(duel.judge.whole for duel in found.duels)
        said.insert(
            0,
            f"Judged by {found.judge}: {found.flips} of {asked} pairs changed with the order and count as undecided; "
            f"{found.invalid} answers could not be read.",
        )
    writers = Sheet(
        "contestants",
        "Contestants",
        f"All wrote for the same {found.prompts} prompts with the same seeds.",
        (*_FIGURES, *votes),
        tuple((w.figures.label, (*_cells(w.figures), _share(w.judge), _share(w.people))) for w in found.writers),
        said=tuple(said),
    )
    duels = Sheet(
        "duels",
        "One against the other",
        "How often the first was preferred to the second.",
        votes,
        tuple((f"{d.first} over {d.second}", (_share(d.judge), _share(d.people))) for d in found.duels),
        of="pair",
    )
    return (writers, *([duels] if any(d.judge.whole or d.people.whole for d in found.duels) else []))


def steps_sheet(steps: Sequence[Step], advice: Advice | None, own_copied: float | None) -> Sheet:
    """Every checkpoint, with its curves and the one to take."""
    held = Column("held-out loss", "Nats a token on the validation poems.", "number")
    rows = tuple((f"step {s.step}", (*_cells(s.figures), s.validation_loss)) for s in steps)

    def line(name: str, of: Mapping[int, float | None]) -> Line:
        return Line(name, tuple((step, value) for step, value in of.items() if value is not None))

    charts = (
        Chart(
            "Loss of each checkpoint",
            "training step",
            "nats a token",
            (
                line("training", {s.step: s.train_loss for s in steps}),
                line("held-out", {s.step: s.validation_loss for s in steps}),
            ),
        ),
        Chart(
            "Voice: Burrows's Delta above the poet's own",
            "training step",
            "Delta above own",
            (line("Delta", {s.step: s.figures.delta for s in steps}),),
            (0.0, 0.0),
            "the poet's own unseen poems",
        ),
        Chart(
            "Novelty: copied lines",
            "training step",
            "share of lines",
            (line("copied", {s.step: s.figures.copied for s in steps}),),
            (0.0, own_copied) if own_copied is not None else None,
            "as far as the poet repeats himself",
            percent=True,
        ),
    )
    said = [f"Recommended: step {advice.step}.", *advice.why] if advice else []
    lead = "Every checkpoint of the run on one set of prompts."
    return Sheet(
        "checkpoints", "Checkpoints", lead, (*_FIGURES, held), rows, charts if len(steps) > 1 else (), tuple(said)
    )


def courses_sheet(found: Courses) -> Sheet:
    """Lengths or ways of drawing, and where verse turns into prose."""
    heading = "Lengths" if found.kind == "lengths" else "Ways of drawing"
    turns = Column(
        "prose from",
        f"After how many {found.unit} prose is commoner than ever in the poet's own poems, for good; a dash is never.",
        "count",
    )
    drawn = Chart(
        f"Where verse drifts into prose: share of poems in lines of more than {found.longest} {found.unit}",
        f"{found.unit} from the beginning",
        "share in prose",
        tuple(
            Line(way.figures.label, tuple((s.start + STRETCH / 2, s.share) for s in way.stretches))
            for way in found.ways
        ),
        (0.0, found.usual),
        "the poet's own poems",
        percent=True,
    )
    rows = tuple((way.figures.label, (*_cells(way.figures), way.turn)) for way in found.ways)
    lead = (
        f"A line of more than {found.longest} {found.unit} counts as prose: 19 in 20 of the poet's lines are shorter."
    )
    return Sheet(found.kind, heading, lead, (*_FIGURES, turns), rows, (drawn,), found.said, "drawn by")


def novelty_sheet(rows: Sequence[tuple[str, tuple[Value, ...]]], said: Sequence[str] = ()) -> Sheet:
    """Copied lines and runs, and nearest neighbours, beside the poet's own repetition of himself."""
    columns = (
        Column("poems", "How many poems the figures rest on.", "count"),
        Column("lines", "Share of lines that stand in a training poem.", "tenth"),
        Column("5-grams", "Share of runs of five words (characters) that stand in a training poem.", "tenth"),
        Column("nearest", "Likeness to the nearest training poem, on average: 0 no word shared, 1 the same.", "number"),
        Column("most alike", "The same for the poem that stands closest to a training poem.", "number"),
    )
    lead = "The last row says how far the poet's own held-out poems repeat the others: so much is no copying."
    return Sheet("novelty", "Novelty", lead, columns, tuple(rows), said=tuple(said))


def variety_sheet(rows: Sequence[tuple[str, tuple[Value, ...]]], texts: int, said: Sequence[str] = ()) -> Sheet:
    """Distinct-n, self-BLEU and spread."""
    how = "over as much text for each set"
    columns = (
        Column("distinct-1", f"Share of words that are different words, {how}.", "number"),
        Column("distinct-2", f"Share of pairs of neighbouring words that are different pairs, {how}.", "number"),
        Column("distinct-3", f"The same for three words, {how}.", "number"),
        Column("self-BLEU", f"How well {texts} poems foretell one another: lower is more varied.", "number"),
        Column("spread", "Mean distance of two poems: 0 the same words, 1 none shared.", "number"),
        Column("per theme", "Mean distance of two poems on the same theme.", "number"),
        Column("openings", f"Share of different first lines among {texts} poems.", "share"),
    )
    return Sheet(
        "variety", "Variety", "How much the poems differ from one another.", columns, tuple(rows), said=tuple(said)
    )


def theme_sheet(rows: Sequence[tuple[str, tuple[Value, ...]]], embedded: bool, said: Sequence[str] = ()) -> Sheet:
    """Whether poems speak of what they were asked."""
    columns = [
        Column("poems", "Poems that were asked for a theme.", "count"),
        Column("has its word", "Share of poems with a word of their theme, with its 95 % interval.", "share"),
        Column("by chance", "Share with a word of another poem's theme: what chance gives.", "share"),
    ]
    if embedded:
        columns.append(
            Column(
                "nearer in sense",
                "Share of other themes that a poem is less like than its own, by embeddings: 0.5 is chance.",
                "number",
            )
        )
    return Sheet("themes", "Theme", "Does the poem speak of its theme?", tuple(columns), tuple(rows), said=tuple(said))


def readers_sheet(rows: Sequence[tuple[str, tuple[Value, ...]]], said: Sequence[str] = ()) -> Sheet:
    """Scores of judges and people under their rubrics, with their reliability."""
    columns = (
        Column("poems", "Poems that were read.", "count"),
        Column("readings", "Readings of them all together.", "count"),
        Column("mean", "Mean score: 1 to 5 by people, place in the ranking by a judge (0 last, 1 first).", "number"),
        Column(
            "alpha",
            "Krippendorff's alpha (ordinal): how far several readings of the same poem agree; 1 fully, 0 as by chance, "
            "from 0.67 on tentative conclusions are usual.",
            "number",
        ),
    )
    lead = "Scores under rubrics, with how far the readings can be relied on."
    return Sheet("readers", "Readers", lead, columns, tuple(rows), said=tuple(said), of="read by")


def authors_sheet(
    names: Sequence[str], shares: Mapping[str, Mapping[str, float]], accuracy: float, poems: int, calibration: float
) -> Sheet:
    """Whose voice the classifier hears in each set."""
    columns = tuple(Column(name, "", "share") for name in names)
    rows = tuple((label, tuple(of.get(name) for name in names)) for label, of in shares.items())
    said = (
        f"The classifier was tried on {poems} poems of the corpus, each while left out: it names the right poet of "
        f"{accuracy:.0%}, and its stated probabilities are off by {calibration:.1%} on average.",
    )
    return Sheet("authors", "Whose voice", "Share of poems given to each poet of the corpus.", columns, rows, said=said)


_GATES = {
    "empty": "Poems without a word, or that could not be written to an end.",
    "talk": "Talk about the poem instead of the poem.",
    "language": "Another language or script than the corpus's.",
    "loop": "Poems that say the same again and again.",
    "prose": "Lines and punctuation of prose.",
    "copied": "Too much stands in the corpus.",
    "twin": "Nearly the same as an earlier poem.",
    "unfinished": "The last line breaks off.",
}


def gates_sheet(rows: Sequence[tuple[str, tuple[Value, ...]]], gates: Sequence[str]) -> Sheet:
    """Poems held back by each gate, by checkpoint and template."""
    columns = (
        Column("written", "Poems written in this round.", "count"),
        Column("passed", "Poems that judges and readers were shown.", "count"),
        *(Column(gate, _GATES.get(gate, ""), "count") for gate in gates),
    )
    lead = "Poems that were kept from judges and readers, by the rule that did."
    return Sheet("gates", "Gates", lead, columns, tuple(rows), of="written by")
