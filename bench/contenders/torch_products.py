"""Hessian-vector products by PyTorch's double backward.

Arguments: folder, problem, mode. Reads a count a line, makes so many products, answers with the seconds and CPU
seconds that they took.

Mode 'anew': every product runs forward, backward and double backward, as brink's does. 'kept': the graph of the
gradient is made once and kept, which serves products at one θ only. 'forward-over-reverse': the derivative of the
gradient along v, by torch.func. 'compiled': the same through torch.compile. Each but 'float64', which is 'anew' in
double precision and the reference, also with '-channels-last': images and kernels laid out channels last, which is
PyTorch's fastest on a CPU.
"""

import json
import sys
import time
import warnings
from array import array

warnings.filterwarnings("ignore", message="Failed to initialize NumPy")
warnings.filterwarnings("ignore", message="`torch.jit.script` is deprecated")
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


def loss(weights):
    return F.cross_entropy(problem.forward(weights, problem.inputs), problem.targets)


def gradient():
    return torch.autograd.grad(loss(theta), theta, create_graph=True)


def anew():
    return torch.autograd.grad(gradient(), theta, grad_outputs=v)


def forward_over_reverse(weights, tangent):
    return torch.func.jvp(torch.func.grad(loss), (weights,), (tangent,))[1]


if way in ("anew", "float64"):
    product = anew
elif way == "kept":
    kept = gradient()
    product = lambda: torch.autograd.grad(kept, theta, grad_outputs=v, retain_graph=True)
else:
    along = torch.compile(forward_over_reverse, fullgraph=True) if way == "compiled" else forward_over_reverse
    weights = [t.detach() for t in theta]
    product = lambda: along(weights, v)


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
