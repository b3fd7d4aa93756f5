"""What eigenpairs are worth, in float64: their residuals, and their distance to the eigenvalues that eigsh finds.

Arguments: folder, problem.
"""

import sys
import warnings

# An import of curvlinops' own uses what PyTorch deprecates.
warnings.filterwarnings("ignore", category=FutureWarning)
import curvlinops
import numpy
import torch
from answer_requests import answer, versions
from scipy.sparse.linalg import eigsh
from torch_problem import Network, Problem

folder, name = sys.argv[1:]
problem = Problem(folder, name, torch.float64)
data = [(problem.inputs, problem.targets.argmax(1))]


def hessian(theta):
    network = Network(problem, theta)
    parameters = list(network.parameters())
    loss = torch.nn.CrossEntropyLoss()
    return curvlinops.HessianLinearOperator(network, loss, parameters, data, check_deterministic=False)


def reference(theta, tolerance):
    """The three largest eigenvalues, falling; a fourth is sought beside them."""
    H = hessian(theta).to_scipy()
    v0 = numpy.random.default_rng(1).standard_normal(H.shape[0])
    return sorted(eigsh(H, k=4, which="LA", v0=v0, tol=tolerance)[0], reverse=True)[:3]


def residuals(theta, count, file):
    """‖Hq − (qᵀHq)q‖ of each, q scaled to 1."""
    H = hessian(theta)
    found = []
    for q in problem.floats(file).view(count, -1):
        q = torch.cat([t.reshape(-1) for t in problem.split(q / q.norm())])
        image = H @ q
        found.append((image - (q @ image) * q).norm().item())
    return found


answer(versions("curvlinops"), {"reference": reference, "residuals": residuals})
