"""scikit-learn's MLPClassifier as a contender."""

import platform
import warnings

from serve import serve, unavailable

try:
    import sklearn
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier
except ImportError as error:
    unavailable(error)

from data import read_data


def prepare(task):
    X, y = read_data(task)
    epoch = len(X) // task["batch"]
    # Never "converged", no L2, no momentum: the same steps as the others take.
    model = MLPClassifier(
        hidden_layer_sizes=task["sizes"][1:-1],
        solver=task["optimizer"],
        batch_size=task["batch"],
        learning_rate_init=task["learningRate"],
        alpha=0,
        momentum=0,
        nesterovs_momentum=False,
        warm_start=True,
        tol=0,
        n_iter_no_change=2**31,
        random_state=0,
    )

    def run(steps):
        # Whole epochs, and all in one call, which checks its data only once.
        epochs = max(1, round(steps / epoch))
        model.set_params(max_iter=epochs)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X, y)
        return {"steps": epochs * epoch, "loss": float(model.loss_)}

    return run


serve({"Python": platform.python_version(), "scikit-learn": sklearn.__version__}, prepare)
