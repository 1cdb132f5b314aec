"""Plain text and Markdown: a file is one poem, or many where `corpus.separator` says how they are parted."""

import re
from collections.abc import Iterator

import yaml

from poetune.corpus import dialogue
from poetune.corpus.chat import asked
from poetune.corpus.intake import Findings, Row, Source
from poetune.corpus.splitting import preview_of, split, suggested, titled

_FRONT = re.compile(r"---[^\S\n]*\n(.*?)\n(?:---|\.\.\.)[^\S\n]*(?:\n|\Z)", re.DOTALL)


def is_markdown(source: Source) -> bool:
    """Whether the file's ending says Markdown."""
    return source.suffix in (".md", ".markdown")


def body_of(source: Source, text: str) -> tuple[dict[str, object], str]:
    """Front matter (empty where there is none) and the text below it, Markdown's hard line breaks made plain.

    Raises ValueError for front matter that is not `key: value` lines.
    """
    if not is_markdown(source):
        return {}, text
    front = _FRONT.match(text)
    values: dict[str, object] = {}
    if front and ":" in front[1]:
        try:
            loaded = yaml.safe_load(front[1])
        except yaml.YAMLError:
            raise ValueError("has front matter that is not YAML; mend the lines between the two `---`") from None
        if not isinstance(loaded, dict):
            raise ValueError("has front matter that is not `key: value` lines")
        values = {str(k): v if isinstance(v, list | int | float) or v is None else str(v) for k, v in loaded.items()}
        text = text[front.end() :]
    return values, re.sub(r"\\$", "", text, flags=re.MULTILINE)


def rule_for(source: Source, text: str, separator: str) -> str:
    """The separator asked for, or what the file suggests; files of a folder are not suspected for their stanzas."""
    if separator not in ("", "auto"):
        return separator
    rule = suggested(text)
    return "" if rule == "blank" and not source.given else rule


def rows(source: Source, text: str, separator: str, findings: Findings) -> Iterator[Row]:
    """The poems of one file; `separator` as in `splitting.split`, `auto` for what each file suggests, "" for none.

    Without a separator a file that looks like many poems stays one and is named in a note.
    """
    try:
        values, text = body_of(source, text)
    except ValueError as error:
        findings.skip(source.name, 0, str(error))
        return
    if dialogue.opens(text):
        for number, (system, question, answer) in enumerate(dialogue.pairs(text), 1):
            yield Row(source.name, number, {**values, **asked(system, question, answer)})
        return
    rule = rule_for(source, text, separator)
    if separator == "auto" and rule == "blank":
        separator = ""  # stanzas look the same: this rule is only taken when it is asked for
    parts = split(text, rule) if rule else [text]
    if not separator and len(parts) > 1:
        found = preview_of(source.name, text, rule)
        findings.notes.append(
            f"{source.name} was taken as one poem but looks like {found.poems} ({found.says}); "
            f"to part them use --yes, or --separator {found.rule!r} (corpus.separator)."
        )
        parts = [text]
    if len(parts) > 1 and rule == "#" and not parts[0].lstrip().startswith("#"):
        findings.skip(source.name, 0, "has words before its first heading, which belong to no poem")
        parts = parts[1:]
    for number, part in enumerate(parts, 1):
        title, body = titled(part)
        if len(parts) == 1 and not title and "title" not in values:
            title = " ".join(source.stem.replace("_", " ").split())
        yield Row(source.name, number, {"title": title, **values, "text": body})
