"""What the job costs in multiplications alone, at the rate that products of its own sizes reach here; one JSON line.

plain   all layers forward, backward through the adapted ones
cached  the adapted layers and the head only

Both run the head on completion tokens, pad and recompute nothing, take no gradient of frozen weights, send none below
the lowest adapted layer, and in the top layer run queries, output and inner products for completion tokens only.
"""

import argparse
import time

import measure
import workload

ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("--shape", choices=workload.SHAPES, required=True)
ap.add_argument("--layers", type=int, required=True)
ap.add_argument("--steps", type=int, required=True)
ap.add_argument("--threads", type=int, default=1)
a = ap.parse_args()

vocabulary, hidden, inner, depth, heads, shared = workload.SHAPES[a.shape]
gpt2 = a.shape == "gpt2"
narrow = hidden * shared // heads
body = 2 * hidden * hidden + (2 if gpt2 else 3) * hidden * inner  # q, o and the inner products
lora = workload.RANK * ((4 * hidden if gpt2 else 3 * hidden + narrow) + (2 if gpt2 else 3) * (hidden + inner))
below = upper = tokens = 0
for row in workload.poems(a.shape, workload.BATCH * a.steps):
    n, done = len(row["prompt_ids"]) + len(row["completion_ids"]), len(row["completion_ids"])
    attention, keys = 2 * n * n * hidden, 2 * n * 2 * hidden * narrow
    layer, added = 2 * n * body, 2 * n * lora
    share = done / n  # of the top layer's work
    below += (depth - a.layers) * (layer + keys + attention)
    upper += (a.layers - 1) * (2 * layer + 2 * keys + 3 * attention + 3 * added)
    upper += share * (2 * layer + 3 * attention + 3 * added) + 2 * keys
    upper += 4 * done * vocabulary * hidden
    if a.layers < depth or not gpt2:
        upper -= 2 * n * hidden * (hidden + 2 * narrow)  # nothing below wants the lowest layer's input gradient
    tokens += n

import torch  # noqa: E402

torch.set_num_threads(a.threads)
rates = {}
for label, (m, k, n) in {"inner": (460, hidden, inner), "outer": (460, inner, hidden), "square": (1024, 1024, 1024),
                         "head": (320, hidden, min(vocabulary, 32768))}.items():  # fmt: skip
    x, w = torch.randn(m, k), torch.randn(n, k)
    best, end = 0.0, time.perf_counter() + 1.5
    torch.nn.functional.linear(x, w)
    while time.perf_counter() < end:
        at = time.process_time() if a.threads == 1 else time.perf_counter()
        torch.nn.functional.linear(x, w)
        took = (time.process_time() if a.threads == 1 else time.perf_counter()) - at
        best = max(best, 2 * m * k * n / max(took, 1e-9))
    rates[label] = best
rate = max(rates.values())
measure.emit(
    tool="floor", tokens=tokens, gflops={k: round(v / 1e9, 1) for k, v in rates.items()},
    plain_per_1k=round((below + upper) / rate / tokens * 1000, 4), cached_per_1k=round(upper / rate / tokens * 1000, 4),
    fill_per_1k=round(below / rate / tokens * 1000, 4),
)  # fmt: skip
