"""What every command shares: the project, overrides, JSON or prose, and the studio behind it."""

import functools
import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from poetune.backends import processes

if TYPE_CHECKING:
    from poetune.studio import Studio

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Session:
    """The options that every command takes."""

    project: Path
    overrides: tuple[str, ...]
    json: bool

    def studio(self, *more: str) -> "Studio":
        """The project's studio, with `more` overrides after the user's own."""
        from poetune.cli.screen import Screen
        from poetune.studio import Studio

        return Studio(self.project, (*self.overrides, *more), Screen())

    def help_train(self, *more: str) -> None:
        """Instead of the studio, in all processes of a launch but the first: train as that one tells."""
        from poetune.studio.together import help_train

        help_train(self.project, (*self.overrides, *more))

    def show(self, result: Any, prose: str) -> None:
        """One JSON object on stdout, or the prose."""
        if self.json:
            data = asdict(result) if is_dataclass(result) and not isinstance(result, type) else result
            click.echo(json.dumps(data, ensure_ascii=False, indent=2, default=str))
        else:
            click.echo(prose)


def command(name: str, example: str, together: bool = False) -> Callable[[F], click.Command]:
    """A command with the shared options and an example under its help; the function's first argument is the Session.

    Without `together`, the first process of a launch runs it alone.
    """

    def make(function: F) -> click.Command:
        @functools.wraps(function)
        def run(project: Path, overrides: tuple[str, ...], as_json: bool, debug: bool, **rest: Any) -> Any:
            del debug  # read by `main` before parsing
            if processes.size() > 1 and not together:
                if processes.rank():
                    return None
                click.echo(f"poetune {name} works in one process; the others of this launch have ended.", err=True)
            return function(Session(project, overrides, as_json), **rest)

        wrapped: Any = run
        for option in reversed(
            [
                click.option(
                    "--project",
                    type=click.Path(path_type=Path),
                    default=Path(),
                    show_default="this folder",
                    help="The project's folder.",
                ),
                click.option("--set", "overrides", multiple=True, metavar="A.B=C", help="Override a key of poet.yaml."),
                click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of prose."),
                click.option("--debug", is_flag=True, help="Show a traceback where something goes wrong."),
            ]
        ):
            wrapped = option(wrapped)
        short = re.split(r"[:;.]", function.__doc__ or "", maxsplit=1)[0] + "."  # click cuts longer lines short
        return click.command(name, short_help=short, epilog=f"\b\nExample: {example}")(wrapped)

    return make
