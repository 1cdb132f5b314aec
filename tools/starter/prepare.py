"""Step 1: public verse files -> rows of {lang, text, title, author, keys}, split by hash, written as JSONL."""

import argparse
import hashlib
import json
import lzma
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

HELD_OUT_PER_MILLE = 8
MAX_CHARS = {"en": 2600, "zh": 700}
_ENGLISH_JUNK = re.compile(r"[\[\]{}<>|=_*#]|\d{2,}|https?:")
_CHINESE_JUNK = re.compile(r"[A-Za-z0-9□○●?（）()\[\]{}〈〉【】]")


def open_text(path: Path) -> Iterator[dict[str, str]]:
    """Rows of a `.jsonl` or `.jsonl.xz` file."""
    opener = lzma.open if path.suffix == ".xz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def language(text: str) -> str:
    """`zh` where Han characters outnumber Latin letters, else `en`."""
    han = sum("\u4e00" <= c <= "\u9fff" for c in text)
    latin = sum(c.isascii() and c.isalpha() for c in text)
    return "zh" if han > latin else "en"


def clean(text: str) -> str | None:
    """NFC, no trailing space, single blank lines between stanzas; None where the text looks like apparatus."""
    text = unicodedata.normalize("NFC", text)
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    text = re.sub(r"\n{3,}", "\n\n", text).strip("\n")
    lang = language(text)
    lines = [line for line in text.split("\n") if line]
    if len(lines) < 2 or len(text) > MAX_CHARS[lang]:
        return None
    if lang == "zh":
        return None if _CHINESE_JUNK.search(text) else text
    if len(_ENGLISH_JUNK.findall(text)) > 0 or max(map(len, lines)) > 110:
        return None
    if sum(line == line.upper() for line in lines) > 1 or sum(len(line) for line in lines) / len(lines) < 12:
        return None
    return text


def held_out(text: str) -> bool:
    """Whether a poem belongs to the held-out split: for ever the same, by the hash of its text."""
    digest = hashlib.sha256(text.encode()).digest()
    return int.from_bytes(digest[:4], "big") % 1000 < HELD_OUT_PER_MILLE


def keywords(texts: list[tuple[str, str]]) -> list[list[str]]:
    """Up to three themes per poem: its most telling words (two-character strings in Chinese)."""
    counted = [_units(lang, text) for lang, text in texts]
    document_frequency: Counter[str] = Counter()
    for units in counted:
        document_frequency.update(set(units))
    total = len(texts)
    chosen = []
    for units in counted:
        tally = Counter(u for u in units if 20 <= document_frequency[u] <= max(20, total // 60))
        ranked = sorted(tally, key=lambda u: (-tally[u] / document_frequency[u] ** 0.5, u))
        chosen.append(ranked[:3])
    return chosen


def _units(lang: str, text: str) -> list[str]:
    if lang == "en":
        return re.findall(r"[a-z]{4,}", text.lower())
    runs = re.findall(r"[\u4e00-\u9fff]+", text)
    out = []
    for run in runs:  # two-character words sit at even places of five- and seven-character lines
        out += [run[i : i + 2] for i in range(0, len(run) - 1, 2)]
    return out


def prepare(sources: list[Path], out: Path, limit: int = 0) -> dict[str, int]:
    """Write `rows.jsonl` into `out`; returns counts of kept, dropped and held-out poems."""
    out.mkdir(parents=True, exist_ok=True)
    counts: Counter[str] = Counter()
    rows: list[dict[str, str]] = []
    for source in sources:
        taken = 0
        for row in open_text(source):
            text = clean(row["text"])
            if text is None:
                counts["dropped"] += 1
                continue
            lang = language(text)
            rows.append({"lang": lang, "text": text, "title": row.get("title", ""), "author": row.get("author", "")})
            counts[lang] += 1
            taken += 1
            if limit and taken >= limit:
                break
    themes = keywords([(r["lang"], r["text"]) for r in rows])
    with (out / "rows.jsonl").open("w", encoding="utf-8") as sink:
        for row, keys in zip(rows, themes, strict=True):
            away = held_out(row["text"])
            counts["held_out"] += away
            sink.write(json.dumps({**row, "keys": keys, "held_out": away}, ensure_ascii=False) + "\n")
    return dict(counts)


def load_rows(folder: Path) -> list[dict]:
    """The rows written by `prepare`."""
    with (folder / "rows.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=0, help="poems per source, 0 = all")
    arguments = parser.parse_args()
    print(prepare(arguments.sources, arguments.out, arguments.limit))
