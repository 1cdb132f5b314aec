"""transformers `generate` in static batches, one adapter merged into the base; one JSON line.

Each batch size is timed over `--steps` decode steps, and its rate for whole poems follows: a batch runs until its
longest poem ends and only the poems' own tokens count, so seconds = prefill + step x (longest - 1), averaged over 400
batches of the workload's lengths. The context is shorter in the timed steps than in whole poems, which flatters this
tool. With `--whole`, batches of the best size write poems to their own lengths, and that time is the one given.
"""

import argparse
import random
import statistics
import time

import measure
import workload

ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("--model", required=True)
ap.add_argument("--adapter", required=True)
ap.add_argument("--poems", type=int, required=True, help="poems to write with --whole")
ap.add_argument("--batches", default="8,32,64")
ap.add_argument("--steps", type=int, default=16)
ap.add_argument("--whole", action="store_true")
ap.add_argument("--threads", type=int, default=1)
ap.add_argument("--device", default="cpu")
ap.add_argument("--precision", default="fp32", choices=["fp32", "bf16"])
a = ap.parse_args()

started = time.perf_counter(), measure.own_cpu()
import torch  # noqa: E402
from peft import PeftModel  # noqa: E402
from transformers import AutoModelForCausalLM, StoppingCriteria, StoppingCriteriaList  # noqa: E402

torch.set_num_threads(a.threads)
name = workload.shape_of(a.model)
dtype = torch.bfloat16 if a.precision == "bf16" else torch.float32
model = AutoModelForCausalLM.from_pretrained(a.model, dtype=dtype)
model = PeftModel.from_pretrained(model, a.adapter).merge_and_unload().to(a.device).eval()
model.generation_config.eos_token_id = None  # a random model does not know when to stop: lengths are the workload's
model.generation_config.pad_token_id = workload.PAD


class Ends(StoppingCriteria):
    """Each row ends at its own length; the time of every step is kept."""

    def __init__(self, start, limits):
        self.start, self.limits, self.at = start, torch.tensor(limits, device=a.device), []

    def __call__(self, ids, *_, **__):
        if a.device != "cpu":
            torch.cuda.synchronize()
        self.at.append((time.perf_counter(), measure.own_cpu()))
        return ids.shape[1] - self.start >= self.limits


def write(rows, limits):
    """Wall and CPU seconds at the start and after each token."""
    width = max(len(row["prompt_ids"]) for row in rows)
    ids = [[workload.PAD] * (width - len(row["prompt_ids"])) + row["prompt_ids"] for row in rows]
    ids = torch.tensor(ids, device=a.device)
    torch.manual_seed(0)
    ends = Ends(width, limits)
    begun = time.perf_counter(), measure.own_cpu()
    with torch.inference_mode():
        model.generate(
            ids, attention_mask=(ids != workload.PAD).long(), max_new_tokens=max(limits), do_sample=True,
            temperature=workload.TEMPERATURE, top_p=workload.TOP_P, top_k=0, repetition_penalty=workload.PENALTY,
            stopping_criteria=StoppingCriteriaList([ends]),
        )  # fmt: skip
    return [begun, *ends.at]


def predicted(batch):
    """Tokens, and wall and CPU seconds, of an average batch of whole poems; the peak in MB so far."""
    rows = workload.poems(name, batch, workload.GRID_SEED)
    at = write(rows, [a.steps + 1] * batch)
    lengths = random.Random(3)
    drawn = [[workload.length(lengths) for _ in range(batch)] for _ in range(400)]
    longest = statistics.mean(max(each) for each in drawn)
    seconds = [
        at[1][clock] - at[0][clock] + (at[-1][clock] - at[1][clock]) / a.steps * (longest - 1) for clock in (0, 1)
    ]
    return statistics.mean(sum(each) for each in drawn), *seconds, measure.peak_mb()


write(workload.poems(name, 1, workload.GRID_SEED), [3])
setup = time.perf_counter() - started[0], measure.own_cpu() - started[1]
watch = measure.Watch()
sizes = {batch: predicted(batch) for batch in sorted(map(int, a.batches.split(",")))}
clock = 2 if a.device == "cpu" and a.threads == 1 else 1
best = max(sizes, key=lambda batch: sizes[batch][0] / sizes[batch][clock])
tokens, wall, cpu, peak = sizes[best]
poems = best
if a.whole:
    poems = max(best, a.poems // best * best)
    rows = workload.poems(name, poems, workload.GRID_SEED)
    lengths = [len(row["completion_ids"]) for row in rows]
    watch = measure.Watch()
    for first in range(0, poems, best):
        write(rows[first : first + best], lengths[first : first + best])
    wall, cpu = watch.wall(), watch.cpu()
    tokens, peak = sum(lengths), measure.peak_mb()
figures = measure.writing(poems, tokens, wall, cpu) | {"peak_mb": peak}
measure.emit(
    tool="generate", **figures, **watch.others(), extrapolated=not a.whole,
    batch=best, batches={size: round(each[0] / each[clock], 2) for size, each in sizes.items()},
    setup_s=round(setup[0], 1), setup_cpu_s=round(setup[1], 1),
)  # fmt: skip
