"""A multilayer perceptron as a class on neural networks has it written: NumPy, vectorised over the batch, nothing else."""

import numpy as np


class MLP:
    """relu between the layers; softmax with cross-entropy at the end, or sigmoid where there is one output."""

    def __init__(self, sizes, dtype, optimizer, learning_rate, seed=0):
        random = np.random.RandomState(seed)
        self.params = {}
        for i, (fan_in, units) in enumerate(zip(sizes, sizes[1:])):
            std = np.sqrt(2 / fan_in)
            self.params[f"W{i}"] = (std * random.randn(fan_in, units)).astype(dtype)
            self.params[f"b{i}"] = np.zeros(units, dtype=dtype)
        self.layers = len(sizes) - 1
        self.binary = sizes[-1] == 1
        self.learning_rate = learning_rate
        self.update = {"sgd": self.sgd, "adam": self.adam}[optimizer]
        self.m = {name: np.zeros_like(value) for name, value in self.params.items()}
        self.v = {name: np.zeros_like(value) for name, value in self.params.items()}
        self.t = 0

    def forward(self, X):
        """The inputs of every layer, and the scores."""
        inputs = [X]
        for i in range(self.layers):
            scores = inputs[i] @ self.params[f"W{i}"] + self.params[f"b{i}"]
            inputs.append(np.maximum(scores, 0) if i < self.layers - 1 else scores)
        return inputs

    def loss(self, X, y):
        """Mean loss of the batch, and its gradient by every parameter."""
        batch = len(X)
        inputs = self.forward(X)
        loss, d_scores = (self.sigmoid_loss if self.binary else self.softmax_loss)(inputs[-1], y)
        d_scores /= batch
        gradients = {}
        for i in reversed(range(self.layers)):
            gradients[f"W{i}"] = inputs[i].T @ d_scores
            gradients[f"b{i}"] = d_scores.sum(axis=0)
            if i > 0:
                d_scores = d_scores @ self.params[f"W{i}"].T
                d_scores[inputs[i] <= 0] = 0
        return loss / batch, gradients

    def softmax_loss(self, scores, y):
        rows = np.arange(len(y))
        shifted = scores - scores.max(axis=1, keepdims=True)
        probabilities = np.exp(shifted)
        sums = probabilities.sum(axis=1, keepdims=True)
        loss = (np.log(sums[:, 0]) - shifted[rows, y]).sum()
        probabilities /= sums
        probabilities[rows, y] -= 1
        return loss, probabilities

    def sigmoid_loss(self, scores, y):
        targets = y[:, None].astype(scores.dtype)
        e = np.exp(-np.abs(scores))
        loss = (np.maximum(scores, 0) - scores * targets + np.log1p(e)).sum()
        probabilities = np.where(scores >= 0, 1, e) / (1 + e)
        return loss, probabilities - targets

    def sgd(self, gradients):
        for name, gradient in gradients.items():
            self.params[name] -= self.learning_rate * gradient

    def adam(self, gradients, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.t += 1
        for name, gradient in gradients.items():
            m, v = self.m[name], self.v[name]
            m *= beta1
            m += (1 - beta1) * gradient
            v *= beta2
            v += (1 - beta2) * gradient**2
            m_hat = m / (1 - beta1**self.t)
            v_hat = v / (1 - beta2**self.t)
            self.params[name] -= self.learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)

    def step(self, X, y):
        loss, gradients = self.loss(X, y)
        self.update(gradients)
        return loss
