"""Steps of SGD by JAX: each one call of a jitted update, the examples on the device.

Arguments: folder, problem. Each request trains from the same weights on the same batches: see answer_steps.py.
"""

import sys

import jax
from answer_steps import answer
from jax_problem import Problem

folder, name = sys.argv[1:]
problem = Problem(folder, name)


@jax.jit
def update(theta, rate, batch):
    gradient = jax.grad(problem.loss)(theta, problem.inputs[batch], problem.targets[batch])
    return [weight - rate * slope for weight, slope in zip(theta, gradient)]


def train(batches, rate):
    theta = problem.split(problem.floats("weights"))
    for batch in batches:
        theta = update(theta, rate, batch)
    return jax.block_until_ready(theta)


answer(folder, f"JAX {jax.__version__} (CPU)", train, problem.joined)
