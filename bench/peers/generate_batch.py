"""transformers' continuous batching, one adapter merged into the base; one JSON line.

Each poem is a request with its own length, and finished ones leave the batch. `processors` lists what sampling is left:
transformers drops the repetition penalty here, so this tool does a little less than the others.
"""

import argparse
import logging
import time

import measure
import workload

ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("--model", required=True)
ap.add_argument("--adapter", required=True)
ap.add_argument("--poems", type=int, required=True)
ap.add_argument("--max-batch-tokens", type=int, default=256)
ap.add_argument("--blocks", type=int, default=256, help="of --page-size tokens")
ap.add_argument("--page-size", type=int, default=128)
ap.add_argument("--threads", type=int, default=1)
ap.add_argument("--device", default="cpu")
ap.add_argument("--precision", default="fp32", choices=["fp32", "bf16"])
a = ap.parse_args()

started = time.perf_counter(), measure.own_cpu()
import torch  # noqa: E402
from peft import PeftModel  # noqa: E402
from transformers import AutoModelForCausalLM, ContinuousBatchingConfig, GenerationConfig  # noqa: E402

logging.getLogger("transformers").setLevel(logging.ERROR)
torch.set_num_threads(a.threads)
name = workload.shape_of(a.model)
dtype = torch.bfloat16 if a.precision == "bf16" else torch.float32
model = AutoModelForCausalLM.from_pretrained(a.model, dtype=dtype)
model = PeftModel.from_pretrained(model, a.adapter).merge_and_unload().to(a.device).eval()
rows = workload.poems(name, a.poems, workload.GRID_SEED)
law = GenerationConfig(
    do_sample=True, temperature=workload.TEMPERATURE, top_p=workload.TOP_P, top_k=0,
    repetition_penalty=workload.PENALTY, eos_token_id=-1, pad_token_id=workload.PAD, max_new_tokens=512,
)  # fmt: skip
settings = ContinuousBatchingConfig(
    max_batch_tokens=a.max_batch_tokens, num_blocks=a.blocks, page_size=a.page_size, seed=0
)
made, error = 0, None
with (
    torch.no_grad(),
    model.continuous_batching_context_manager(generation_config=law, continuous_batching_config=settings) as manager,
):
    kept = [type(each).__name__ for each in getattr(getattr(manager, "logit_processor", None), "logits_processor", [])]
    manager.add_request(rows[0]["prompt_ids"], request_id="warm", max_new_tokens=2)
    while manager.get_result(timeout=1) is None and manager.is_running():
        pass
    setup, watch = (time.perf_counter() - started[0], measure.own_cpu() - started[1]), measure.Watch()
    for i, row in enumerate(rows):
        manager.add_request(row["prompt_ids"], request_id=f"poem{i}", max_new_tokens=len(row["completion_ids"]))
    left = {f"poem{i}" for i in range(len(rows))}
    while left and manager.is_running():
        found = manager.get_result(timeout=1)
        if found is not None and found.is_finished() and found.request_id in left:
            left.remove(found.request_id)
            made, error = made + len(found.generated_tokens), found.error or error
    wall, cpu, others = watch.wall(), watch.cpu(), watch.others()
if left or error:
    raise SystemExit(f"continuous batching left {len(left)} poems unwritten ({error})")
measure.emit(
    tool="generate_batch", **measure.writing(len(rows), made, wall, cpu), **others, processors=kept,
    setup_s=round(setup[0], 1), setup_cpu_s=round(setup[1], 1),
)  # fmt: skip
