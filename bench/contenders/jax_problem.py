"""A problem's folder as JAX reads it: the same weights, examples and network as brink's."""

import json
import math

import jax
import jax.numpy as jnp
import numpy as np


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


class Problem:
    def __init__(self, folder, name):
        self.folder = folder
        self.forward = {"cnn6": cnn6, "mlp": mlp}[name]
        layout = json.load(open(f"{folder}/problem.json"))
        self.shapes = layout["parameterShapes"]
        self.inputs = jnp.asarray(self.floats("inputs").reshape(layout["examples"], *layout["inputShape"]))
        self.targets = jnp.asarray(self.floats("targets").reshape(layout["examples"], -1))

    def floats(self, name):
        return np.fromfile(f"{self.folder}/{name}.f32", dtype=np.float32)

    def split(self, flat):
        """The flat vector as one array a parameter, in brink's own shapes."""
        ends = np.cumsum([math.prod(shape) for shape in self.shapes])
        return [jnp.asarray(part.reshape(shape)) for part, shape in zip(np.split(flat, ends[:-1]), self.shapes)]

    def joined(self, parts):
        """The other way round, in float64."""
        return np.concatenate([np.asarray(part).reshape(-1) for part in parts]).astype(np.float64)

    def loss(self, theta, inputs, targets):
        return -jnp.mean(jnp.sum(targets * jax.nn.log_softmax(self.forward(theta, inputs)), axis=1))
