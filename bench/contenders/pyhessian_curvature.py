"""Eigenpairs, trace and spectral density by PyHessian 0.1, as published but for one shim.

Arguments: folder, problem. Eigenvectors go to the file that the request names, one after the other, laid out as
brink's.
"""

import sys
import warnings

import numpy
import torch
from answer_requests import answer, timed, versions
from pyhessian import hessian
from torch_problem import Network, Problem

# It takes the gradient by backward(create_graph=True), of which PyTorch warns.
warnings.filterwarnings("ignore", category=UserWarning)


def eig(matrix, eigenvectors):
    """torch.eig, which PyTorch has removed and PyHessian's density calls, for its symmetric matrix.

    [:, 0] is the real part.
    """
    values, vectors = torch.linalg.eigh(matrix)
    return torch.stack([values, torch.zeros_like(values)], 1), vectors


torch.eig = eig

# Products are counted where the methods call them.
internals = sys.modules[hessian.__module__]
product = internals.hessian_vector_product
products = 0


def counted(*args):
    global products
    products += 1
    return product(*args)


internals.hessian_vector_product = counted

folder, name = sys.argv[1:]
problem = Problem(folder, name, torch.float32)
data = (problem.inputs, problem.targets.argmax(1))


def measured(theta, seed, method):
    """The method's result at θ and what it cost; the gradient, whose graph all products share, is part of that."""
    global products
    products = 0
    torch.manual_seed(seed)
    network = Network(problem, theta)
    result, timing = timed(lambda: method(hessian(network, torch.nn.CrossEntropyLoss(), data=data, cuda=False)))
    # The gradients hold the graph, and the graph them.
    network.zero_grad(set_to_none=True)
    return result, {**timing, "products": products}


def eigenpairs(theta, seed, count, tolerance, most, file, **_):
    (values, vectors), cost = measured(theta, seed, lambda h: h.eigenvalues(maxIter=most, tol=tolerance, top_n=count))
    torch.stack([problem.joined(v) for v in vectors]).numpy().tofile(f"{folder}/{file}.f32")
    return {**cost, "values": values}


def trace(theta, seed, draws, tolerance):
    samples, cost = measured(theta, seed, lambda h: h.trace(maxIter=draws, tol=tolerance))
    error = numpy.std(samples, ddof=1) / numpy.sqrt(len(samples))
    return {**cost, "estimate": float(numpy.mean(samples)), "standardError": float(error)}


def density(theta, seed, draws, steps):
    (nodes, _), cost = measured(theta, seed, lambda h: h.density(iter=steps, n_v=draws))
    return {**cost, "largest": float(numpy.max(nodes))}


answer(versions("PyHessian 0.1"), {"eigenpairs": eigenpairs, "trace": trace, "density": density})
