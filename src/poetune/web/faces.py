"""What the pages show: each face is there or is not, and the front page is the first that is."""

from dataclasses import dataclass

from poetune.studio.ballot import Ballots
from poetune.studio.desk import Desk
from poetune.studio.gallery import Gallery
from poetune.studio.penning import Pen


@dataclass(frozen=True, slots=True)
class Faces:
    """The desks behind the pages. A page without its desk has no address and no link."""

    desk: Desk | None = None
    ballots: Ballots | None = None
    gallery: Gallery | None = None
    pen: Pen | None = None

    def pages(self) -> tuple[tuple[str, str], ...]:
        """(path, word) of each page, in the order of the links; the first is the front."""
        found = [
            ("/compare", "compare", self.ballots),
            ("/review", "review", self.desk),
            ("/gallery", "gallery", self.gallery),
            ("/figures", "figures", self.gallery),
            ("/write", "write", self.pen),
        ]
        return tuple((path, word) for path, word, desk in found if desk is not None)

    def close(self) -> None:
        """Close what they hold open."""
        for face in (self.desk, self.ballots, self.gallery, self.pen):
            if face is not None:
                face.close()
