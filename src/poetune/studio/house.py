"""The studio: a project that is open, and a method for all that a face can ask of it."""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from poetune.records import Round
from poetune.studio.ground import Ground

if TYPE_CHECKING:
    from poetune.backends.crossing import Format
    from poetune.corpus import Preview
    from poetune.finetune import Way
    from poetune.ports import Needs
    from poetune.score.contents import Courses
    from poetune.score.contest import Contest
    from poetune.studio.ballot import Ballots
    from poetune.studio.corpus import Taken
    from poetune.studio.dataset import Frozen
    from poetune.studio.desk import Desk
    from poetune.studio.explaining import Chain
    from poetune.studio.finetune import Blended, Dialled, Poets, Swept, Tuned
    from poetune.studio.gallery import Gallery
    from poetune.studio.generate import Filled
    from poetune.studio.judge import Forecast, Judged
    from poetune.studio.penning import Pen
    from poetune.studio.preferring import Preferred
    from poetune.studio.rebuilding import Rebuilt
    from poetune.studio.review import Reviewed
    from poetune.studio.rounds import Brought, Closed, Given, Looped, Style
    from poetune.studio.score import Table, Told
    from poetune.studio.score.checkpoints import Checkpoints
    from poetune.studio.scouting import Scouted
    from poetune.studio.serving import Served
    from poetune.studio.ship import Printed, Shipped
    from poetune.studio.status import Standing
    from poetune.studio.write import Poems


class Studio(Ground):
    """Opens an existing project; `create` makes a new one. Use as a context manager."""

    def together(self) -> AbstractContextManager[None]:
        """Trainings inside are shared with the processes of this launch, if there are any."""
        from poetune.studio.together import together

        return together(self)

    # commands --------------------------------------------------------------------------------------------------------
    # Each imports its module when it is called, so that a command loads what it needs and nothing else.

    def preview(self) -> "list[Preview]":
        """How files that hold several poems would fall into them; nothing is taken."""
        from poetune.studio import corpus

        return corpus.shown(self)

    def corpus(self) -> "Taken":
        """Files become poems."""
        from poetune.studio import corpus

        return corpus.take_in(self)

    def dataset(self) -> "Frozen":
        """Poems become a data set."""
        from poetune.studio import dataset

        return dataset.build_all(self)

    def themes(self, path: Path) -> tuple[Path, int]:
        """The poems' themes as a CSV at `path`; returns it and how many poems it holds."""
        from poetune.studio import dataset

        return dataset.write_themes(self, path)

    def export(self, folder: Path, style: str) -> dict[str, int]:
        """The data set as chat JSONL for `mlx-lm` or `trl`; rows by file."""
        from poetune.studio import dataset

        return dataset.export(self, folder, style)

    def rebuild(self, identifier: str = "", to: Path | None = None) -> "Rebuilt":
        """A data set made again, to the byte."""
        from poetune.studio import rebuilding

        return rebuilding.rebuild(self, identifier, to)

    def needs(self) -> "dict[str, Needs]":
        """What each stage of the training would take, by its name."""
        from poetune.studio import finetune

        return finetune.needs(self)

    def finetune(self, until: str = "") -> "Tuned":
        """Examples become checkpoints, stage after stage, up to the one named `until`."""
        from poetune.studio import finetune

        return finetune.train(self, until)

    def prefer(self, accept_guards: Collection[str] = ()) -> "Preferred":
        """What readers preferred trains the model on, under the guards of a round."""
        from poetune.studio import preferring

        return preferring.prefer(self, accept_guards)

    def sweep(self) -> "Swept":
        """The last stage in all settings of the recipe's sweep."""
        from poetune.studio import finetune

        return finetune.sweep(self)

    def poets(self, authors: Sequence[str] = (), poems: int = 0) -> "Poets":
        """One adapter for each poet of the corpus, or for those named; `poems` by each are tried on a classifier."""
        from poetune.studio import finetune

        return finetune.poets(self, authors, poems)

    def blend(self, mix: str, way: "Way | None" = None) -> "Blended":
        """Adapters blended by weight become a model."""
        from poetune.studio import finetune

        return finetune.blend(self, mix, way)

    def dial(self, between: str, way: "Way | None" = None, points: int = 11, poems: int = 40) -> "Dialled":
        """Blends of two poets from all of the first to all of the second, measured."""
        from poetune.studio import finetune

        return finetune.dial(self, between, way, points, poems)

    def register(self, folder: Path) -> list[dict[str, Any]]:
        """Foreign checkpoints become models."""
        from poetune.studio import finetune

        return finetune.register(self, folder)

    def generate(
        self,
        max_themes: int | None = None,
        code: int | None = None,
        stages: Sequence[str] = (),
        scouted: bool = False,
    ) -> "Filled":
        """The grid is filled, or with `code` the part of one checkpoint and template, by the last stage or `stages`;
        with `scouted`, what scouting proposed."""
        from poetune.studio import generate, scouting

        return generate.fill(self, max_themes, code, stages, scouting.proposed(self) if scouted else None)

    def scout(self, stages: Sequence[str] = ()) -> "Scouted":
        """A tenth of the grid first, and what deserves the rest."""
        from poetune.studio import scouting

        return scouting.scout(self, stages)

    def judge(self) -> "Judged":
        """Candidates are ranked."""
        from poetune.studio import judge

        return judge.rank(self)

    def judge_forecast(self) -> "Forecast":
        """What judging would take, without a call."""
        from poetune.studio import judge

        return judge.forecast(self)

    def desk(self) -> "Desk":
        """The reviewer's desk, for the page or for any other face."""
        from poetune.studio import review

        return review.desk(self)

    def ballots(self, one: str, other: str) -> "Ballots":
        """Blind votes between two models' poems."""
        from poetune.studio import voting

        return voting.ballots(self, one, other)

    def gallery(self) -> "Gallery":
        """The poems that were decided: to be found again, counted and exported."""
        from poetune.studio import prompting
        from poetune.studio.gallery import Gallery

        return Gallery(self.store.path, self.recipe.name, lambda prompt: prompting.conversation(self, prompt))

    def export_reviewed(self, kind: str, to: Path | None = None) -> tuple[Path, int]:
        """The accepted poems as a file; returns it and its lines."""
        from poetune.studio import review

        return review.export(self, kind, to)

    def reviewed(self) -> "Reviewed":
        """What was decided in the open round."""
        from poetune.studio import review

        return review.reviewed(self)

    def rounds(self) -> list[Round]:
        """All rounds."""
        from poetune.studio import rounds

        return rounds.list_rounds(self)

    def run_rounds(self, count: int | None = None, accept_guards: Collection[str] = ()) -> "Looped":
        """The loop: train, write, rank, wait for the reader, close; goes on where it stood."""
        from poetune.studio import rounds

        return rounds.run(self, count, accept_guards)

    def bring(self, path: Path) -> "Brought":
        """Poems of another tool's JSON file become candidates."""
        from poetune.studio import rounds

        return rounds.take_in(self, path)

    def give(self, path: Path, style: "Style", number: int | None = None) -> "Given":
        """Poems as another tool's JSON, or accepted ones as training rows."""
        from poetune.studio import rounds

        return rounds.give_out(self, path, style, number)

    def explain(self, poem: str) -> "Chain":
        """Where a poem came from, link by link."""
        from poetune.studio import explaining

        return explaining.explain(self, poem)

    def close_round(self, accept_guards: Collection[str] = (), *, dry: bool = False) -> "Closed":
        """What was kept goes back, if the guards let it; the next round opens."""
        from poetune.studio import rounds

        return rounds.close(self, accept_guards, dry=dry)

    def losses(self) -> "Table":
        """The loss table."""
        from poetune.studio import score

        return score.losses(self)

    def copies(self) -> "Table":
        """The table of copied lines."""
        from poetune.studio import score

        return score.copies(self)

    def compare(
        self, names: Sequence[str], prompted: bool = True, judged: bool = True, per_prompt: int = 1
    ) -> "Contest":
        """Contestants on the same prompts and seeds."""
        from poetune.studio.score.contest import compare

        return compare(self, names, prompted, judged, per_prompt)

    def checkpoints(self) -> "Checkpoints":
        """Every checkpoint on one prompt set."""
        from poetune.studio.score.checkpoints import checkpoints

        return checkpoints(self)

    def courses(self, kind: 'Literal["lengths", "decoding"]') -> "Courses":
        """Lengths, or ways of drawing, and where verse drifts into prose."""
        from poetune.studio.score.courses import courses

        return courses(self, kind)

    def report(self) -> "Told":
        """The HTML report and its figures."""
        from poetune.studio import score

        return score.report(self)

    def ship(
        self,
        kind: str,
        to: Path | None = None,
        wanted: "Format | None" = None,
        repo: str = "",
        public: bool = False,
    ) -> "Shipped":
        """A model leaves the house; an adapter in its own format or the one `wanted`; with `repo` to the hub too."""
        from poetune.studio import ship

        return ship.ship(self, kind, to, wanted, repo, public)

    def chapbook(self, to: Path | None = None) -> "Printed":
        """The accepted poems as Markdown and as a page that prints."""
        from poetune.studio import ship

        return ship.chapbook(self, to)

    def write(
        self, theme: str = "", first_line: str = "", heard: Callable[[int, str], None] | None = None, **more: Any
    ) -> "Poems":
        """Poems at once; `more` as in `Asked`, `heard` is told the number of a poem and its text as it grows."""
        from poetune.studio.write import Asked, write

        return write(self, Asked(theme, first_line, **more), heard)

    def pen(self) -> "Pen":
        """The writing desk, for a page."""
        from poetune.studio.penning import Pen

        return Pen(self)

    def served(self) -> "Served":
        """The models that an endpoint may serve, by name."""
        from poetune.studio.serving import served

        return served(self)

    def status(self) -> "Standing":
        """Where the project stands."""
        from poetune.studio import status

        return status.status(self)
