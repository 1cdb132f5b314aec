"""Every figure of a report as CSV: section, subject, figure, value, unit."""

import csv
import io
from collections.abc import Iterator

from poetune.score.contents import Report
from poetune.score.sheet import figures as sheet_figures

Row = tuple[str, str, str, float, str]


def figures_csv(contents: Report) -> str:
    """One row a figure, in the order of the report; what was not measured has no row."""
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(("section", "subject", "figure", "value", "unit"))
    writer.writerows(_rows(contents))
    return sink.getvalue()


def _rows(contents: Report) -> Iterator[Row]:
    for pair in contents.pairs:
        if pair.value is not None:
            yield "pairs", f"{pair.theme} / {pair.template} / {pair.seed}", f"rating ({pair.band})", pair.value, ""
    for training in contents.trainings:
        for point in training.points:
            subject = f"{training.stage} step {point.step}"
            if point.train is not None:
                yield "curve", subject, "training loss", point.train, "nats/token"
            if point.validation is not None:
                yield "curve", subject, "validation loss", point.validation, "nats/token"
        for step, norm in training.norms:
            yield "curve", f"{training.stage} step {step}", "gradient norm", norm, ""
    for row in contents.losses:
        subject = f"{row.model} / {row.split}"
        yield "losses", subject, "texts", row.texts, ""
        yield "losses", subject, "tokens", row.tokens, ""
        yield "losses", subject, "bytes", row.bytes, ""
        yield "losses", subject, "loss", row.loss, "nats/token"
        yield "losses", subject, "perplexity", row.perplexity, ""
        yield "losses", subject, "bits per byte", row.bits_per_byte, "bits/byte"
    for table in contents.voice:
        for figure in table.rows:
            for column, value in zip(table.columns, figure.values, strict=True):
                if value is not None:
                    yield "voice", f"{table.language} / {column}", f"{figure.figure} ({figure.kind})", value, ""
            for column, value in zip(table.columns, figure.excess, strict=True):
                if value is not None:
                    yield "voice", f"{table.language} / {column}", f"{figure.figure} (excess)", value, ""
            for name, value in zip(("5 %", "95 %"), figure.band or (), strict=False):
                yield "voice", f"{table.language} / {table.columns[0]}", f"{figure.figure} ({name})", value, ""
    for sheet in contents.sheets:
        yield from sheet_figures(sheet)
    for copied in contents.copying.rows if contents.copying else ():
        yield "copying", copied.label, "poems", copied.poems, ""
        yield "copying", copied.label, "lines", copied.lines, ""
        yield "copying", copied.label, "copied lines", copied.copied, ""
        yield "copying", copied.label, "copied share", copied.share, ""
    for cost in contents.costs:
        yield "cost", cost.what, cost.what, cost.amount, cost.unit
