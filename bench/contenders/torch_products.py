"""Hessian-vector products by PyTorch's double backward.

Arguments: folder, problem, mode. Reads a count a line, makes so many products, answers with the seconds and CPU seconds that they took.

Mode 'anew': every product runs forward, backward and double backward, as brink's does. 'kept': the graph of the gradient
is made once and kept, which serves products at one θ only. 'float64': 'anew' in double precision, the reference.
"""

import json
import math
import sys
import time
import warnings
from array import array

warnings.filterwarnings("ignore", message="Failed to initialize NumPy")
import torch
import torch.nn.functional as F

folder, problem, mode = sys.argv[1:]
dtype = torch.float64 if mode == "float64" else torch.float32
layout = json.load(open(f"{folder}/problem.json"))


def floats(name):
    return torch.frombuffer(bytearray(open(f"{folder}/{name}.f32", "rb").read()), dtype=torch.float32).to(dtype)


def split(flat):
    """The flat vector as one tensor a parameter; kernels [h, w, in, out] become PyTorch's [out, in, h, w]."""
    parts = flat.split([math.prod(shape) for shape in layout["parameterShapes"]])
    tensors = [part.view(shape) for part, shape in zip(parts, layout["parameterShapes"])]
    return [(t.permute(3, 2, 0, 1) if t.dim() == 4 else t).contiguous() for t in tensors]


def joined(tensors):
    return torch.cat([(t.permute(2, 3, 1, 0) if t.dim() == 4 else t).reshape(-1) for t in tensors])


def cnn6(theta, x):
    for kernel, bias, stride in zip(theta[0:8:2], theta[1:8:2], (1, 2, 1, 2)):
        x = F.relu(F.conv2d(x, kernel, bias, stride=stride, padding=1))
    # brink flattens [height, width, channels].
    x = x.permute(0, 2, 3, 1).flatten(1)
    return F.relu(x @ theta[8] + theta[9]) @ theta[10] + theta[11]


def mlp(theta, x):
    for kernel, bias in zip(theta[0:-2:2], theta[1:-2:2]):
        x = torch.tanh(x @ kernel + bias)
    return x @ theta[-2] + theta[-1]


forward = {"cnn6": cnn6, "mlp": mlp}[problem]
inputs = floats("inputs").view(layout["examples"], *layout["inputShape"])
if inputs.dim() == 4:
    inputs = inputs.permute(0, 3, 1, 2).contiguous()
targets = floats("targets").view(layout["examples"], -1)
theta = [t.requires_grad_() for t in split(floats("weights"))]
v = split(floats("v"))


def gradient():
    return torch.autograd.grad(F.cross_entropy(forward(theta, inputs), targets), theta, create_graph=True)


kept = gradient() if mode == "kept" else None


def product():
    if kept is not None:
        return torch.autograd.grad(kept, theta, grad_outputs=v, retain_graph=True)
    return torch.autograd.grad(gradient(), theta, grad_outputs=v)


with open(f"{folder}/product-{mode}.f64", "wb") as file:
    array("d", joined(product()).double().tolist()).tofile(file)
print(json.dumps({"version": f"PyTorch {torch.__version__} (CPU, {torch.get_num_threads()} threads)"}), flush=True)

for line in sys.stdin:
    count = int(line)
    start, cpu_start = time.perf_counter(), time.process_time()
    for _ in range(count):
        product()
    timing = {"seconds": time.perf_counter() - start, "cpuSeconds": time.process_time() - cpu_start}
    print(json.dumps(timing), flush=True)
