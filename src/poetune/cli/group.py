"""The group of commands and the one place where errors become a sentence and an exit code."""

import os
import sys

import click

from poetune import __version__
from poetune.backends import processes
from poetune.cli import commands
from poetune.errors import PoetuneError

HELP = """Teach a language model one poet's voice, and prove that it did.

The commands in the order of the work: init, corpus, dataset, finetune, generate, judge, review, rounds; then score and
ship. `poetune demo` does it all on bundled poems; `poetune write "rain"` writes one poem; `poetune status` says what
comes next.

\b
Example: poetune init my-poet && cd my-poet && poetune corpus ~/poems
"""


class Ordered(click.Group):
    """Lists commands in the order of the work instead of the alphabet's."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The names as they were added."""
        return list(self.commands)


@click.group(cls=Ordered, help=HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="poetune")
def poetune() -> None:
    """Hold the commands."""


for _command in commands.ALL:
    poetune.add_command(_command)


def main(arguments: list[str] | None = None) -> None:
    """Run a command line and exit: 0 done, 1 stopped by Ctrl-C with everything kept, 2 an error."""
    given = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in given or bool(os.environ.get("POETUNE_DEBUG"))
    if processes.rank() and not debug:
        processes.hush()
    try:
        poetune.main(args=given, standalone_mode=False, prog_name="poetune")
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        if isinstance(error, click.exceptions.NoArgsIsHelpError):
            error.show()
        else:
            _complain(f"{error.format_message()} {_see_help(error)}")
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        _complain("stopped; the same command goes on from here.")
        sys.exit(1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except PoetuneError as error:
        if debug:
            raise
        _complain(str(error))
        sys.exit(error.exit_code)
    except OSError as error:
        if debug:
            raise
        named = f"{error.filename}: " if error.filename else ""
        _complain(f"{named}{error.strerror or error}; name another path, or make room and free access there.")
        sys.exit(2)
    except Exception as error:
        if debug:
            raise
        _complain(
            f"something unforeseen went wrong ({type(error).__name__}: {error}); what was done is kept, "
            "and --debug shows where it happened."
        )
        sys.exit(2)


def _see_help(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    return f"See `{context.command_path} --help`." if context else "See `poetune --help`."


def _complain(text: str) -> None:
    """One sentence on stderr; what failed says it, here it only gets its full stop."""
    click.echo(f"poetune: {text}" + ("" if text.endswith((".", "?", "!")) else "."), err=True)
