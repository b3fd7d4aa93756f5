"""Hessian-vector products by JAX, jitted: the forward derivative of the gradient.

Arguments: folder, problem. Reads a count a line, makes so many products, answers with the seconds and CPU seconds
that they took.
"""

import json
import math
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np

folder, name = sys.argv[1:]
layout = json.load(open(f"{folder}/problem.json"))


def floats(file):
    return np.fromfile(f"{folder}/{file}.f32", dtype=np.float32)


def split(flat):
    """The flat vector as one array a parameter, in brink's own shapes."""
    ends = np.cumsum([math.prod(shape) for shape in layout["parameterShapes"]])
    parts = np.split(flat, ends[:-1])
    return [jnp.asarray(part.reshape(shape)) for part, shape in zip(parts, layout["parameterShapes"])]


def cnn6(theta, x):
    for kernel, bias, stride in zip(theta[0:8:2], theta[1:8:2], (1, 2, 1, 2)):
        padding = ((1, 1), (1, 1))
        axes = ("NHWC", "HWIO", "NHWC")
        x = jax.nn.relu(jax.lax.conv_general_dilated(x, kernel, (stride, stride), padding, dimension_numbers=axes) + bias)
    x = x.reshape(x.shape[0], -1)
    return jax.nn.relu(x @ theta[8] + theta[9]) @ theta[10] + theta[11]


def mlp(theta, x):
    for kernel, bias in zip(theta[0:-2:2], theta[1:-2:2]):
        x = jnp.tanh(x @ kernel + bias)
    return x @ theta[-2] + theta[-1]


forward = {"cnn6": cnn6, "mlp": mlp}[name]


def loss(theta, inputs, targets):
    return -jnp.mean(jnp.sum(targets * jax.nn.log_softmax(forward(theta, inputs)), axis=1))


@jax.jit
def hessian_vector(theta, v, inputs, targets):
    return jax.jvp(lambda t: jax.grad(loss)(t, inputs, targets), (theta,), (v,))[1]


theta, v = split(floats("weights")), split(floats("v"))
inputs = jnp.asarray(floats("inputs").reshape(layout["examples"], *layout["inputShape"]))
targets = jnp.asarray(floats("targets").reshape(layout["examples"], -1))


def product():
    return jax.block_until_ready(hessian_vector(theta, v, inputs, targets))


np.concatenate([np.asarray(part).reshape(-1) for part in product()]).astype(np.float64).tofile(f"{folder}/product-jax.f64")
print(json.dumps({"version": f"JAX {jax.__version__} (CPU)"}), flush=True)

for line in sys.stdin:
    count = int(line)
    start, cpu_start = time.perf_counter(), time.process_time()
    for _ in range(count):
        product()
    timing = {"seconds": time.perf_counter() - start, "cpuSeconds": time.process_time() - cpu_start}
    print(json.dumps(timing), flush=True)
