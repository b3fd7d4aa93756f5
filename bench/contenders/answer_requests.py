"""How a contender in Python is asked: a request a line, an answer a line, both JSON."""

import json
import sys
import time

import torch


def versions(*packages):
    names = ", ".join(packages)
    return f"{names} on PyTorch {torch.__version__} (CPU, {torch.get_num_threads()} threads)"


def answer(version, handlers):
    """Tells the version, then answers each request by the handler that its 'what' names."""
    print(json.dumps({"version": version}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(handlers[request.pop("what")](**request)), flush=True)


def timed(compute):
    """What `compute` returns, and the seconds and CPU seconds that it took."""
    start, cpu_start = time.perf_counter(), time.process_time()
    result = compute()
    return result, {"seconds": time.perf_counter() - start, "cpuSeconds": time.process_time() - cpu_start}
