"""How a contender in Python trains: a request a line, with a learning rate and a file for the last weights."""

import json
import sys
import time

import numpy as np


def answer(folder, version, train, flat):
    """Tells the version, then trains anew for each request, and answers with the seconds and CPU seconds it took.

    train: from batches [steps, b] and a learning rate to the last weights. flat: those as one array of float64.
    """
    layout = json.load(open(f"{folder}/batches.json"))
    batches = np.fromfile(f"{folder}/batches.i32", dtype=np.int32).reshape(layout["steps"], layout["batchSize"])
    print(json.dumps({"version": version}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        start, cpu_start = time.perf_counter(), time.process_time()
        theta = train(batches, request["learningRate"])
        timing = {"seconds": time.perf_counter() - start, "cpuSeconds": time.process_time() - cpu_start}
        flat(theta).tofile(f"{folder}/{request['file']}")
        print(json.dumps(timing), flush=True)
