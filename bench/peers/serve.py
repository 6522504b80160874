"""A contender's side of the protocol, for those in Python: the twin of serve.js, which says what the lines are."""

import json
import sys
import time

# Libraries may print; the protocol has the real stdout to itself.
_out, sys.stdout = sys.stdout, sys.stderr

CHUNK = 1 / 8


def unavailable(reason):
    _send({"unavailable": str(reason)})
    sys.exit(0)


def serve(versions, prepare):
    """Answers until the input ends. prepare(task) -> run(steps) -> {"steps": how many were taken, "loss" or "check"}."""
    prepared = {}
    _send({"versions": versions})
    idle_since = time.process_time()
    for line in sys.stdin:
        idle = time.process_time() - idle_since
        request = json.loads(line)
        key = json.dumps(request["task"])
        try:
            if key not in prepared:
                prepared[key] = {"run": prepare(request["task"]), "chunk": 1}
            figure = _time(prepared[key], request["seconds"])
            _send({**figure, "idleCpuMs": idle * 1e3})
        except Exception as error:
            _send({"error": f"{type(error).__name__}: {error}"})
        idle_since = time.process_time()


def _time(prepared, seconds):
    elapsed, steps, done = 0.0, 0, {}
    while elapsed < seconds:
        start = time.perf_counter()
        done = prepared["run"](prepared["chunk"])
        chunk = time.perf_counter() - start
        elapsed += chunk
        steps += done["steps"]
        if chunk < seconds * CHUNK:
            prepared["chunk"] *= 2
    return {**done, "msPerStep": elapsed / steps * 1e3, "steps": steps}


def _send(message):
    print(json.dumps(message), file=_out, flush=True)
