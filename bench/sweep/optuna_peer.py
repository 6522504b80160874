"""Optuna behind a pipe: asks and tells by JSON lines, so that one driver serves all samplers.

{"open": sampler, "seed": n, "parameters": [{"name", "distribution", "parent"?}]}  starts a study
{"ask": k}            -> {"name": internal value, …}, the parameters of trial k
{"tell": k, "value": number | null}                  the result of trial k; null is a failure
"""

import json
import sys
import warnings

import optuna
from optuna.distributions import json_to_distribution

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)

SAMPLERS = {
    "optuna": lambda seed: optuna.samplers.TPESampler(seed=seed),
    "optuna independent": lambda seed: optuna.samplers.TPESampler(seed=seed, multivariate=False),
    "optuna group": lambda seed: optuna.samplers.TPESampler(seed=seed, multivariate=True, group=True),
    "optuna random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
}


def ask(study, parameters):
    trial = study.ask()
    point = {}
    for name, distribution, parent in parameters:
        if parent is None or point.get(parent["name"]) == parent["index"]:
            value = trial._suggest(name, distribution)
            point[name] = distribution.to_internal_repr(value)
    return trial, point


def main():
    study = parameters = trials = None
    for line in sys.stdin:
        message = json.loads(line)
        if "open" in message:
            study = optuna.create_study(sampler=SAMPLERS[message["open"]](message["seed"]))
            parameters = [
                (p["name"], json_to_distribution(p["distribution"]), p.get("parent"))
                for p in message["parameters"]
            ]
            trials = {}
        elif "ask" in message:
            trials[message["ask"]], point = ask(study, parameters)
            print(json.dumps(point), flush=True)
        elif message["value"] is None:
            study.tell(trials[message["tell"]], state=optuna.trial.TrialState.FAIL)
        else:
            study.tell(trials[message["tell"]], message["value"])


main()
