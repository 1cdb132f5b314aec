"""The clock, the memory and the held-out loss that every script reports in the same way."""

import json
import os
import resource
import statistics
import sys
import time


def own_cpu():
    """CPU seconds of this process and of its children that ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def machine_cpu():
    """CPU seconds that all processes of the machine have used (Linux), or None."""
    try:
        with open("/proc/stat") as file:
            fields = file.readline().split()[1:]
    except OSError:
        return None
    return sum(int(fields[i]) for i in (0, 1, 2, 5, 6)) / os.sysconf("SC_CLK_TCK")


def peak_mb():
    """The largest resident set of this process so far, in MB of 10^6 bytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(most / 1e6 if sys.platform == "darwin" else most * 1024 / 1e6)


class Clock:
    """`tick` at the end of each step; the first two steps are in no figure."""

    def __init__(self, warm=2):
        self.warm, self.steps = warm, []
        self.start()

    def start(self):
        self.at = (time.perf_counter(), own_cpu(), machine_cpu())

    def tick(self, tokens):
        now = (time.perf_counter(), own_cpu(), machine_cpu())
        wall, cpu = now[0] - self.at[0], now[1] - self.at[1]
        others = now[2] - self.at[2] - cpu if now[2] is not None else 0.0
        self.steps.append((wall, cpu, tokens, others))
        self.at = (time.perf_counter(), own_cpu(), machine_cpu())

    def figures(self):
        timed = self.steps[self.warm :]
        wall, cpu, tokens, others = (sum(step[i] for step in timed) for i in range(4))
        return {
            "ticks": len(self.steps),
            "tokens": sum(step[2] for step in self.steps),
            "wall_per_1k": round(wall / tokens * 1000, 4),
            "cpu_per_1k": round(cpu / tokens * 1000, 4),
            "wall_per_step": round(statistics.median(step[0] for step in timed), 4),
            "cpu_seconds": round(sum(step[1] for step in self.steps), 2),
            "cores_used_by_others": round(others / wall, 2),
            "peak_mb": peak_mb(),
        }


class Watch:
    """The clock of one stretch of work."""

    def __init__(self):
        self.at = time.perf_counter(), own_cpu(), machine_cpu()

    def wall(self):
        """Seconds since it began."""
        return time.perf_counter() - self.at[0]

    def cpu(self):
        """CPU seconds of this process and its children since then."""
        return own_cpu() - self.at[1]

    def others(self):
        """How many cores other processes kept busy."""
        now = machine_cpu()
        busy = (now - self.at[2] - self.cpu()) / self.wall() if now is not None else 0.0
        return {"cores_used_by_others": round(max(0.0, busy), 2)}


def writing(poems, tokens, wall, cpu):
    """What each script that writes reports; tokens are those of poems, never pads or wasted slots."""
    return {
        "poems": poems,
        "tokens": round(tokens),
        "wall_s": round(wall, 2),
        "cpu_s": round(cpu, 2),
        "tokens_per_wall_s": round(tokens / wall, 3),
        "tokens_per_cpu_s": round(tokens / cpu, 3),
        "wall_per_poem": round(wall / poems, 4),
        "cpu_per_poem": round(cpu / poems, 4),
        "peak_mb": peak_mb(),
    }


def held_out_loss(model, rows):
    """Nats per completion token, one unpadded poem at a time, head on the completion only."""
    import torch
    from torch.nn import functional

    lm = model.get_base_model() if hasattr(model, "get_base_model") else model
    lm.eval()
    nats, count = 0.0, 0
    with torch.no_grad():
        for row in rows:
            first = len(row["prompt_ids"])
            ids = torch.tensor([row["prompt_ids"] + row["completion_ids"]], device=lm.device)
            hidden = lm.base_model(input_ids=ids, use_cache=False).last_hidden_state[0, first - 1 : -1]
            logits = lm.get_output_embeddings()(hidden).float()
            nats += functional.cross_entropy(logits, ids[0, first:], reduction="sum").item()
            count += len(row["completion_ids"])
    return round(nats / count, 6)


def emit(**figures):
    print(json.dumps(figures), flush=True)
