"""Hessian-vector products by PyTorch's double backward on CUDA, graph anew each time.

Arguments: folder, problem, device ('cuda', or 'cpu' to try the program). Reads a count a line, makes so many products,
answers with the seconds that they took and the most bytes of the device that were in use. The first product is written
in float64 and in float32, without TF32.
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

folder, name, device = sys.argv[1:]
torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False
is_cuda = device == "cuda"


def products(dtype):
    problem = Problem(folder, name, dtype, device)
    theta = [t.requires_grad_() for t in problem.split(problem.floats("weights"))]
    v = problem.split(problem.floats("v"))

    def product():
        loss = F.cross_entropy(problem.forward(theta, problem.inputs), problem.targets)
        gradient = torch.autograd.grad(loss, theta, create_graph=True)
        return torch.autograd.grad(gradient, theta, grad_outputs=v)

    return problem, product


for dtype, label in ((torch.float64, "float64"), (torch.float32, "float32")):
    problem, product = products(dtype)
    with open(f"{folder}/product-torch-{label}.f64", "wb") as file:
        array("d", problem.joined(product()).double().cpu().tolist()).tofile(file)
where = torch.cuda.get_device_name() if is_cuda else "CPU"
print(json.dumps({"version": f"PyTorch {torch.__version__} ({where})"}), flush=True)

for line in sys.stdin:
    start = time.perf_counter()
    for _ in range(int(line)):
        product()
    if is_cuda:
        torch.cuda.synchronize()
    used = torch.cuda.max_memory_allocated() if is_cuda else 0
    print(json.dumps({"seconds": time.perf_counter() - start, "bytes": used}), flush=True)
