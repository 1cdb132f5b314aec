"""`poetune explain`: where a poem came from."""

import click

from poetune.cli.session import Session, command


@command("explain", 'poetune explain "Road Salt"')
@click.argument("poem")
def explain(session: Session, poem: str) -> None:
    """Print a poem's whole chain: model, run, recipe, data set, parents, prompt, seed, verdicts, reviews.

    POEM is an id or its beginning, a title, or a line of the poem.
    """
    with session.studio() as studio:
        chain = studio.explain(poem)
    width = max((len(link.what) for link in chain.links), default=0)
    lines = [f"{chain.title or 'untitled'} ({chain.id})", "", *(f"    {line}" for line in chain.text.split("\n")), ""]
    lines += [f"{link.what.ljust(width)}  {link.id}  {link.said}" for link in chain.links]
    session.show(chain, "\n".join(lines))
