"""Hessian-vector products by JAX, jitted: the forward derivative of the gradient.

Arguments: folder, problem, and on what ('cuda'; without, what JAX chooses). Reads a count a line, makes so many
products, answers with the seconds and CPU seconds that they took. Without TF32.
"""

import json
import sys
import time

import jax
from jax_problem import Problem

folder, name, *platform = sys.argv[1:]
if platform:
    jax.config.update("jax_platforms", platform[0])
jax.config.update("jax_default_matmul_precision", "highest")
problem = Problem(folder, name)
theta, v = problem.split(problem.floats("weights")), problem.split(problem.floats("v"))


@jax.jit
def hessian_vector(theta, v, inputs, targets):
    return jax.jvp(lambda t: jax.grad(problem.loss)(t, inputs, targets), (theta,), (v,))[1]


def product():
    return jax.block_until_ready(hessian_vector(theta, v, problem.inputs, problem.targets))


problem.joined(product()).tofile(f"{folder}/product-jax.f64")
print(json.dumps({"version": f"JAX {jax.__version__} ({jax.devices()[0].device_kind})"}), flush=True)

for line in sys.stdin:
    count = int(line)
    start, cpu_start = time.perf_counter(), time.process_time()
    for _ in range(count):
        product()
    timing = {"seconds": time.perf_counter() - start, "cpuSeconds": time.process_time() - cpu_start}
    print(json.dumps(timing), flush=True)
