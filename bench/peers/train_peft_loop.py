"""A plain loop in torch and peft, written well; one JSON line.

The poems of a batch are one row (positions restart, block-diagonal mask), nothing is padded, the head runs on
completion tokens only, no gradient checkpointing, fused AdamW; autograd stops at the lowest adapted layer by itself.
"""

import argparse
import time

import measure
import workload

ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("--model", required=True)
ap.add_argument("--layers", type=int, required=True)
ap.add_argument("--steps", type=int, required=True)
ap.add_argument("--threads", type=int, default=1)
ap.add_argument("--device", default="cpu")
ap.add_argument("--precision", default="fp32", choices=["fp32", "bf16"])
a = ap.parse_args()

started = time.perf_counter()
import torch  # noqa: E402
from peft import get_peft_model  # noqa: E402
from torch.nn import functional  # noqa: E402
from transformers import AutoModelForCausalLM, set_seed  # noqa: E402

torch.set_num_threads(a.threads)
name = workload.shape_of(a.model)
rows = workload.poems(name, workload.BATCH * a.steps)
dtype = torch.bfloat16 if a.precision == "bf16" else torch.float32
base = AutoModelForCausalLM.from_pretrained(a.model, dtype=dtype).to(a.device)
set_seed(0)
model = get_peft_model(base, workload.adapter(name, a.layers))
model.train()
trained = [p for p in model.parameters() if p.requires_grad]
optimizer = torch.optim.AdamW(trained, lr=workload.RATE, weight_decay=0.0, fused=True)
setup = time.perf_counter() - started

clock = measure.Clock()
for step in range(a.steps):
    ids, positions, kept, targets = [], [], [], []
    for row in rows[step * workload.BATCH : (step + 1) * workload.BATCH]:
        prompt, completion = row["prompt_ids"], row["completion_ids"]
        start = len(ids) + len(prompt) - 1
        kept += range(start, start + len(completion))
        targets += completion
        positions += range(len(prompt) + len(completion))
        ids += prompt + completion
    ids, positions, kept, targets = (
        torch.tensor(each, device=a.device) for each in ([ids], [positions], kept, targets)
    )
    with torch.autocast(a.device, torch.bfloat16, enabled=a.precision == "bf16"):
        logits = model(input_ids=ids, position_ids=positions, logits_to_keep=kept, use_cache=False).logits[0]
    functional.cross_entropy(logits.float(), targets).backward()
    torch.nn.utils.clip_grad_norm_(trained, 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    if a.device != "cpu":
        torch.cuda.synchronize()
    clock.tick(ids.numel())
figures = clock.figures()
loss = measure.held_out_loss(model, workload.held_out(name))
measure.emit(tool="peft loop", **figures, setup_s=round(setup, 1), held_out=loss)
