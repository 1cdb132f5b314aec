from importlib.util import find_spec

import pytest
from contract_cases import ENGINES

from poetune.ports import Weights


@pytest.fixture(scope="session", params=list(ENGINES))
def case(request, tmp_path_factory):
    if request.param == "torch" and not all(map(find_spec, ("torch", "transformers", "peft"))):
        pytest.skip("poetune[torch] is not installed")
    if request.param == "mlx" and not all(map(find_spec, ("mlx", "mlx_lm"))):
        pytest.skip("poetune[mlx] is not installed")
    made = ENGINES[request.param](tmp_path_factory.mktemp)
    if made.engine.capabilities.trains:
        folder = tmp_path_factory.mktemp("run")
        events = list(made.engine.train(made.job(folder)))
        made.trained = Weights(made.base, str([e.folder for e in events if e.kind == "checkpoint"][-1]))
    return made
