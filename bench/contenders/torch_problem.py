"""A problem's folder as PyTorch reads it: the same weights, examples and network as brink's."""

import json
import math

import torch
import torch.nn.functional as F


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


def resnet9(theta, x):
    given = iter(theta)

    def block(x, padding, stride=1):
        x = F.conv2d(x, next(given), stride=stride, padding=padding)
        # By the batch's own mean and variance.
        return F.relu(F.batch_norm(x, None, None, next(given), next(given), training=True, eps=1e-5))

    x = block(block(x, 1), 2, stride=2)
    x = x + block(block(x, 1), 1)
    x = F.max_pool2d(block(x, 1), 2)
    x = x + block(block(x, 1), 1)
    return 0.2 * (block(x, 0).amax((2, 3)) @ next(given))


class Problem:
    def __init__(self, folder, name, dtype, device="cpu"):
        self.folder = folder
        self.dtype = dtype
        self.device = device
        self.forward = {"cnn6": cnn6, "mlp": mlp, "resnet9": resnet9}[name]
        layout = json.load(open(f"{folder}/problem.json"))
        self.shapes = layout["parameterShapes"]
        self.inputs = self.floats("inputs").view(layout["examples"], *layout["inputShape"])
        if self.inputs.dim() == 4:
            self.inputs = self.inputs.permute(0, 3, 1, 2).contiguous()
        self.targets = self.floats("targets").view(layout["examples"], -1)

    def floats(self, name):
        data = bytearray(open(f"{self.folder}/{name}.f32", "rb").read())
        return torch.frombuffer(data, dtype=torch.float32).to(self.device, self.dtype)

    def split(self, flat):
        """The flat vector as one tensor a parameter; kernels [h, w, in, out] become PyTorch's [out, in, h, w]."""
        parts = flat.split([math.prod(shape) for shape in self.shapes])
        tensors = [part.view(shape) for part, shape in zip(parts, self.shapes)]
        return [(t.permute(3, 2, 0, 1) if t.dim() == 4 else t).contiguous() for t in tensors]

    def joined(self, tensors):
        """The other way round."""
        return torch.cat([(t.permute(2, 3, 1, 0) if t.dim() == 4 else t).reshape(-1) for t in tensors])

    def parts(self, flat):
        """PyTorch's own flat vector as one tensor a parameter."""
        shapes = [t.shape for t in self.split(flat)]
        return [part.view(shape) for part, shape in zip(flat.split([shape.numel() for shape in shapes]), shapes)]


class Network(torch.nn.Module):
    """The problem's network at some weights."""

    def __init__(self, problem, weights):
        super().__init__()
        self.function = problem.forward
        self.theta = torch.nn.ParameterList(problem.split(problem.floats(weights)))

    def forward(self, x):
        return self.function(list(self.theta), x)
