"""poetune's own writing on the workload, through its engine as a grid of poems goes; one JSON line."""

import argparse
import sys


def main() -> None:
    """Write poems of the workload's lengths with one adapter."""
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--model", required=True)
    ap.add_argument("--adapter", required=True)
    ap.add_argument("--peers", required=True)
    ap.add_argument("--poems", type=int, required=True)
    ap.add_argument("--batch", type=int, default=64)
    ap.add_argument("--threads", type=int, default=1)
    ap.add_argument("--device", default="cpu")
    ap.add_argument("--precision", default="fp32")
    a = ap.parse_args()
    sys.path.insert(0, a.peers)
    import measure
    import workload

    started = measure.Watch()
    import torch

    from poetune.backends.torch.engine import TorchEngine
    from poetune.ports import Request, Weights
    from poetune.records import Conversation, Message, Sampling

    torch.set_num_threads(a.threads)
    poems = workload.poems(workload.shape_of(a.model), a.poems, workload.GRID_SEED)
    weights = Weights(a.model, a.adapter)

    def request(number: int, length: int) -> Request:
        sampling = Sampling(workload.TEMPERATURE, workload.TOP_P, 0, workload.PENALTY, max_tokens=length)
        talk = Conversation((Message("user", poems[number]["prompt"]),))
        return Request(str(number), weights, talk, sampling, number)

    engine = TorchEngine(batch=a.batch, device=a.device)
    list(engine.generate([request(0, 2)]))  # loads the base and the adapter
    setup, watch = (started.wall(), started.cpu()), measure.Watch()
    written = list(engine.generate([request(i, len(p["completion_ids"])) for i, p in enumerate(poems)]))
    figures = measure.writing(len(written), sum(each.tokens for each in written), watch.wall(), watch.cpu())
    measure.emit(
        tool="poetune", **figures, **watch.others(), batch=a.batch,
        setup_s=round(setup[0], 1), setup_cpu_s=round(setup[1], 1),
    )  # fmt: skip


if __name__ == "__main__":
    main()
