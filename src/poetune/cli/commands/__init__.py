"""One module a command, in the order of the work."""

from poetune.cli.commands.corpus import corpus
from poetune.cli.commands.dataset import dataset
from poetune.cli.commands.demo import demo
from poetune.cli.commands.explain import explain
from poetune.cli.commands.finetune import finetune
from poetune.cli.commands.generate import generate
from poetune.cli.commands.init import init
from poetune.cli.commands.judge import judge
from poetune.cli.commands.review import review
from poetune.cli.commands.rounds import rounds
from poetune.cli.commands.score import score
from poetune.cli.commands.serve import serve
from poetune.cli.commands.ship import ship
from poetune.cli.commands.status import status
from poetune.cli.commands.write import write

ALL = (
    init,
    corpus,
    dataset,
    finetune,
    generate,
    judge,
    review,
    rounds,
    score,
    ship,
    write,
    serve,
    status,
    explain,
    demo,
)
