"""Hessian-vector products by PyTorch's double backward.

Arguments: folder, problem, mode. Reads a count a line, makes so many products, answers with the seconds and CPU
seconds that they took.

Mode 'anew': every product runs forward, backward and double backward, as brink's does. 'kept': the graph of the
gradient is made once and kept, which serves products at one θ only. 'anew-channels-last' and 'kept-channels-last':
the same with images and kernels laid out channels last, which is PyTorch's fastest on a CPU. 'float64': 'anew' in double precision, the
reference.
"""

import json
import sys
import time
import warnings
from array import array

warnings.filterwarnings("ignore", message="Failed to initialize NumPy")
import torch
import torch.nn.functional as F
from torch_problem import Problem

folder, name, mode = sys.argv[1:]
way = mode.removesuffix("-channels-last")
problem = Problem(folder, name, torch.float64 if mode == "float64" else torch.float32)
theta = [t.requires_grad_() for t in problem.split(problem.floats("weights"))]
v = problem.split(problem.floats("v"))
if mode.endswith("-channels-last"):
    last = lambda t: t.contiguous(memory_format=torch.channels_last) if t.dim() == 4 else t
    theta = [last(t.detach()).requires_grad_() for t in theta]
    v = [last(t) for t in v]
    problem.inputs = last(problem.inputs)


def gradient():
    loss = F.cross_entropy(problem.forward(theta, problem.inputs), problem.targets)
    return torch.autograd.grad(loss, theta, create_graph=True)


kept = gradient() if way == "kept" else None


def product():
    if kept is not None:
        return torch.autograd.grad(kept, theta, grad_outputs=v, retain_graph=True)
    return torch.autograd.grad(gradient(), theta, grad_outputs=v)


with open(f"{folder}/product-{mode}.f64", "wb") as file:
    array("d", problem.joined(product()).double().tolist()).tofile(file)
print(json.dumps({"version": f"PyTorch {torch.__version__} (CPU, {torch.get_num_threads()} threads)"}), flush=True)

for line in sys.stdin:
    count = int(line)
    start, cpu_start = time.perf_counter(), time.process_time()
    for _ in range(count):
        product()
    timing = {"seconds": time.perf_counter() - start, "cpuSeconds": time.process_time() - cpu_start}
    print(json.dumps(timing), flush=True)
