"""The report: one HTML page with no script and no network, made for reading."""

from collections.abc import Callable
from html import escape

from poetune.score.chart import Chart, Line
from poetune.score.contents import Report, Training
from poetune.score.curves import curve
from poetune.score.sections import copying, cost, lineage, loss_table, notes, pair, voice
from poetune.score.sheethtml import drawing
from poetune.score.sheethtml import html as sheet_html
from poetune.score.stylesheet import CSS
from poetune.score.typeset import lang, poem

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_BANDS = {
    "good": "Among the best",
    "typical": "Typical",
    "poor": "Among the weakest",
    "unrated": "As they came",
}


def report(contents: Report) -> str:
    """The whole page. Parts that are empty are left out; every text is escaped."""
    made = [(name, heading, inner) for name, heading, make in _PARTS if (inner := make(contents))]
    at = next((i for i, (name, _, _) in enumerate(made) if name in _AFTER_SHEETS), len(made))
    shown = [*made[:at], *_sheets(contents), *made[at:]]
    links = "".join(f'<a href="#{name}">{heading}</a>' for name, heading, _ in shown)
    sections = "".join(
        f'<section id="{name}" class="{name}"><h2>{heading}</h2>{inner}</section>' for name, heading, inner in shown
    )
    head = f"{contents.title} · {contents.poet}" if contents.poet else contents.title
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="generator" content="poetune">'
        f"<title>{escape(head)}</title><style>{CSS}</style></head>\n<body><main>{_cover(contents)}"
        f"{f'<nav>{links}</nav>' if links else ''}{sections}"
        "<footer>Set by poetune. The poems in this report were written by a language model, "
        "unless a poet is named.</footer></main></body></html>\n"
    )


def _cover(contents: Report) -> str:
    poet = f'<p class="poet"{lang(contents.poet)}>{escape(contents.poet)}</p>' if contents.poet else ""
    about = "".join(f"<p{lang(text)}>{escape(text)}</p>" for text in contents.about)
    made = f'<p class="made">{escape(contents.made)}</p>' if contents.made else ""
    return (
        f'<header class="cover"><h1{lang(contents.title)}>{escape(contents.title)}</h1>{poet}'
        f'<div class="ornament" aria-hidden="true">❦</div><div class="about">{about}</div>{made}</header>'
    )


def _best(contents: Report) -> str:
    if not contents.best:
        return ""
    lead = f'<p class="lead">chosen by {escape(contents.judged_by)}</p>' if contents.judged_by else ""
    return lead + "".join(poem(printed) for printed in contents.best)


def _others(contents: Report) -> str:
    """Poems from the middle of the ranking and from its end, so that a report cannot show lucky hits only."""
    shelves = ((contents.typical, "From the middle"), (contents.worst, "From the end"))
    return "".join(
        f'<h3 class="band">{heading}</h3>' + "".join(poem(printed) for printed in shelf)
        for shelf, heading in shelves
        if shelf
    )


def _pairs(contents: Report) -> str:
    if not contents.pairs:
        return ""
    by = f", sorted by {escape(contents.judged_by)}" if contents.judged_by else ""
    out = [f'<p class="lead">The same prompt and the same seed: left the base model, right the tuned one{by}.</p>']
    for band, heading in _BANDS.items():
        of_band = [p for p in contents.pairs if p.band == band]
        if of_band:
            out.append(f'<h3 class="band">{heading}</h3>')
            out += [pair(p) for p in of_band]
    return "".join(out)


def _losses(contents: Report) -> str:
    return "".join(map(_training, contents.trainings)) + loss_table(contents.losses)


def _training(found: Training) -> str:
    wide, narrow = curve(found.points, css="curve wide"), curve(found.points, 360, 290, css="curve narrow")
    if not wide:
        return ""
    heading = f"<figcaption>{escape(found.stage)}: loss on training and on held-out poems</figcaption>"
    norms = Chart(
        f"{found.stage}: largest gradient norm before clipping; a norm that leaps up is a training that stumbles",
        "training step",
        "gradient norm",
        (Line("gradient norm", tuple((float(step), norm) for step, norm in found.norms if norm)),),
    )
    return f"<figure>{heading}{wide}{narrow}</figure>{drawing(norms)}"


def _sheets(contents: Report) -> list[tuple[str, str, str]]:
    return [(sheet.name, sheet.heading, inner) for sheet in contents.sheets if (inner := sheet_html(sheet))]


_AFTER_SHEETS = {"copying", "lineage", "costs", "notes"}
_PARTS: tuple[tuple[str, str, Callable[[Report], str]], ...] = (
    ("best", "Poems", _best),
    ("others", "Typical and weakest", _others),
    ("pairs", "Before and after", _pairs),
    ("losses", "Learning", _losses),
    ("voice", "Voice", lambda contents: voice(contents.voice)),
    ("copying", "Copied lines", lambda contents: copying(contents.copying)),
    ("lineage", "Lineage", lambda contents: lineage(contents.lineage)),
    ("costs", "What it took", lambda contents: cost(contents.costs)),
    ("notes", "Notes", lambda contents: notes(contents.notes)),
)
