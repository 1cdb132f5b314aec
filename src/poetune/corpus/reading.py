"""The whole reading, in order: files, rows, columns, filter, joining and mending, cleaning, twins, limit."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from poetune.corpus import dialogue, hub, linebreaks, objects, prose, table
from poetune.corpus.chat import is_theme
from poetune.corpus.cleaning import clean, one_line
from poetune.corpus.columns import Draft, column_names, draft, filtered, known
from poetune.corpus.decoding import damaged, decode
from poetune.corpus.intake import Findings, Intake, Preview, Row, Source
from poetune.corpus.sources import PROSE, sources
from poetune.corpus.splitting import preview_of, split
from poetune.errors import CorpusError
from poetune.recipe import Corpus
from poetune.records import Poem
from poetune.verse.lines import language, line_key, units
from poetune.verse.twins import twins


def read(settings: Corpus, root: Path) -> Intake:
    """The poems of `settings.files`, which are absolute, relative to `root`, or `hub:ID`.

    Raises CorpusError where nothing can be read as asked; single bad rows and files are skipped and named instead.
    """
    if not settings.files:
        raise CorpusError("no files of poems are named; add them under corpus.files, e.g. [poems/].")
    findings = Findings()
    drafts: list[Draft] = []
    files = 0
    for source in sources(settings.files, root, findings):
        files += 1
        rows = hub.rows(source, root) if isinstance(source, str) else _rows(source, settings, findings)
        drafts += [draft(row, settings.map) for row in rows]
    known(settings.map, drafts, "--map")
    if settings.separator not in ("", "auto") and all(row.number == 1 for row in drafts):
        findings.notes.append(
            f"the separator {settings.separator!r} parted no file; --preview shows what each file suggests."
        )
    found = filtered(drafts, settings.where)
    if settings.join_lines_by:
        found = linebreaks.joined(found, settings.join_lines_by)
    poems, kept = [], []
    for row in found:
        poem = _poem(row, settings.mend_line_breaks, findings)
        if poem is not None:
            poems.append(poem)
            kept.append(row)
    if not poems:
        raise CorpusError(_nothing(settings, found, findings))
    findings.notes += linebreaks.remarks([poem.text for poem in poems], kept)
    poems, dropped = _without_doubles(poems, findings)
    if settings.limit:
        poems = poems[: settings.limit]
    near = tuple((poems[i].id, poems[j].id, share) for i, j, share in twins([poem.text for poem in poems]))
    if near:
        findings.notes.append(f"near twins (poems that share half of their lines or more): {len(near)}; all were kept.")
    return Intake(tuple(poems), tuple(findings.skipped), tuple(findings.notes), near, files, dropped)


def preview(settings: Corpus, root: Path) -> tuple[Preview, ...]:
    """For each text file that holds, or looks as if it held, many poems: by which rule, how many, and how they open."""
    found = []
    for source in sources(settings.files, root, Findings()):
        if isinstance(source, str) or source.suffix not in PROSE:
            continue
        try:
            _, text = prose.body_of(source, clean(decode(source.data, settings.encoding).text))
        except (CorpusError, ValueError):
            continue  # `read` names it
        rule = "" if dialogue.opens(text) else prose.rule_for(source, text, settings.separator)
        if rule and len(split(text, rule)) > 1:
            found.append(preview_of(source.name, text, rule))
    return tuple(found)


def _rows(source: Source, settings: Corpus, findings: Findings) -> Iterator[Row]:
    try:
        decoded = decode(source.data, settings.encoding)
    except CorpusError as error:
        if settings.encoding and "corpus.encoding" in str(error):
            raise
        findings.skip(source.name, 0, str(error).rstrip("."))
        return
    note = decoded.note(source.name)
    if note and not settings.encoding:
        findings.notes.append(note)
    text = decoded.text
    if source.suffix in PROSE:
        # Cleaned first: a line separator of another system must not hide a blank line.
        yield from prose.rows(source, clean(text), settings.separator, findings)
    elif source.suffix in (".csv", ".tsv"):
        yield from table.rows(source.name, text, findings, "\t" if source.suffix == ".tsv" else "")
    elif source.suffix == ".json":
        yield from objects.json_file(source.name, text, findings)
    else:
        yield from objects.json_lines(source.name, text, findings)


def _poem(row: Draft, mend: bool, findings: Findings) -> Poem | None:
    """The row as a Poem, or None, with the reason among the findings."""
    if damaged(row.fields.get("text", "")):
        findings.skip(row.file, row.number, "has characters that no known encoding explains, or that were lost before")
        return None
    # A poem is not lost for a damaged name beside it.
    fields = {name: value for name, value in row.fields.items() if not damaged(value)}
    text = clean(linebreaks.mend(clean(fields.get("text", ""))) if mend else fields.get("text", ""))
    if not text.strip():
        findings.skip(row.file, row.number, "has no text")
        return None
    if not units(text):
        findings.skip(row.file, row.number, "holds no words")
        return None
    tags, theme, question = _tags(row.tags), one_line(fields.get("theme", "")), clean(fields.get("prompt", ""))
    if question.strip() and is_theme(question):
        theme = theme or one_line(question)
    elif question.strip():  # asked to the letter: its lines stay
        tags |= {name: value for name in ("prompt", "system") if (value := clean(fields.get(name, "")).strip())}
    return Poem(
        text=text,
        title=one_line(fields.get("title", "")),
        author=one_line(fields.get("author", "")),
        language=fields.get("language") or language(text),
        form=one_line(fields.get("form", "")),
        theme=theme,
        tags=tags,
        source=one_line(fields.get("source", "")) or row.file,
        licence=one_line(fields.get("licence", "")),
    )


def _tags(tags: Mapping[str, str]) -> dict[str, str]:
    return {
        one_line(name): one_line(value) for name, value in tags.items() if value.strip() and not damaged(name + value)
    }


def _without_doubles(poems: Sequence[Poem], findings: Findings) -> tuple[list[Poem], int]:
    first: dict[tuple[str, str], Poem] = {}
    doubles = []
    for poem in poems:
        # The answer to a question and the poem by itself are two rows: stages may read one each.
        if first.setdefault((line_key(poem.text), poem.tags.get("prompt", "")), poem) is not poem:
            doubles.append(poem.title or poem.text.split("\n")[0])
    if doubles:
        named = ", ".join(doubles[:3]) + (", ..." if len(doubles) > 3 else "")
        findings.notes.append(f"exact twins: {len(doubles)} ({named}); each poem was taken once.")
    return list(first.values()), len(doubles)


def _nothing(settings: Corpus, found: Sequence[Draft], findings: Findings) -> str:
    """One sentence on why there is no poem at all."""
    where = ", ".join(settings.files)
    textless = [row for row in found if "text" not in row.fields]
    if found and len(textless) == len(found):
        return f"{where}: no column is known as the text; say which of {column_names(found)} with --map NAME=text."
    if findings.skipped:
        first = findings.skipped[0]
        row = f" row {first.row}" if first.row else ""
        return (
            f"{where}: none of {len(findings.skipped)} rows could be read; the first, {first.file}{row}, {first.why}."
        )
    return f"{where} holds no poems; give txt, md, csv, jsonl, json or zip files with verse in them."
