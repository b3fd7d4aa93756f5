"""Steps of SGD by PyTorch's own loop: index, forward, backward, torch.optim.SGD.

Arguments: folder, problem, mode: 'float32', or 'float64', the reference. Each request trains from the same weights on
the same batches: see answer_steps.py.
"""

import sys

import torch
import torch.nn.functional as F
from answer_steps import answer
from torch_problem import Network, Problem

folder, name, mode = sys.argv[1:]
problem = Problem(folder, name, getattr(torch, mode))


def train(batches, rate):
    network = Network(problem, "weights")
    optimizer = torch.optim.SGD(network.parameters(), lr=rate)
    for batch in torch.from_numpy(batches):
        optimizer.zero_grad()
        F.cross_entropy(network(problem.inputs[batch]), problem.targets[batch]).backward()
        optimizer.step()
    return network.theta


def flat(theta):
    return problem.joined([weight.detach() for weight in theta]).double().numpy()


answer(folder, f"PyTorch {torch.__version__} (CPU, {torch.get_num_threads()} threads)", train, flat)
