"""Which poems a stage reads: by the file, or the folder, that they came from, and by their authors."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from poetune.errors import RecipeError
from poetune.records import Poem


def select(poems: Sequence[Poem], patterns: Sequence[str], returned: bool = True) -> list[Poem]:
    """The poems whose source matches a pattern; all where there is none.

    A pattern is a name (`plain.txt`), a folder, or has `*` and `?` in it. Poems that came back from a review have no
    file: with `returned` they are taken too. Raises RecipeError for a pattern that no poem matches.
    """
    if not patterns:
        return list(poems)
    found = {pattern: {p.source for p in poems if not p.parent and _matches(p.source, pattern)} for pattern in patterns}
    for pattern, sources in found.items():
        if not sources and poems:
            known = list(dict.fromkeys(poem.source for poem in poems if not poem.parent))
            shown = ", ".join(known[:6]) + (", ..." if len(known) > 6 else "")
            raise RecipeError(f"data: no poem came from `{pattern}`; the sources are {shown}.")
    wanted = set().union(*found.values())
    return [poem for poem in poems if (returned if poem.parent else poem.source in wanted)]


def by_authors(poems: Sequence[Poem], authors: Sequence[str]) -> list[Poem]:
    """The poems of these authors, case and spaces forgiven; all where none is named.

    Raises RecipeError for an author of whom there is no poem.
    """
    if not authors:
        return list(poems)
    known = {author_key(poem.author): poem.author for poem in poems}
    for author in authors:
        if author_key(author) not in known:
            shown = ", ".join(sorted(name for name in known.values() if name)[:8]) or "none that is named"
            raise RecipeError(f"authors: no poem is by `{author}`; the corpus has {shown}.")
    wanted = {author_key(author) for author in authors}
    return [poem for poem in poems if author_key(poem.author) in wanted]


def author_key(author: str) -> str:
    """An author's name as it is compared."""
    return " ".join(author.casefold().split())


def _matches(source: str, pattern: str) -> bool:
    """Any run of the path's parts may match, so that a name, a folder and a whole path all do."""
    parts, asked = source.replace("\\", "/").split("/"), pattern.removeprefix("./").rstrip("/")
    spans = ("/".join(parts[i:j]) for i in range(len(parts)) for j in range(i + 1, len(parts) + 1))
    return source == pattern or any(fnmatchcase(span, asked) for span in spans)
