/**
 * Cheap functions to compare samplers on: each has a space as a sweep has it, a value to minimise of the
 * settings, and the least value that there is. Infinity is a trial that diverges.
 */

/** A quadratic valley of the logarithm. */
const valley = (x, best, width) => ((Math.log10(x) - Math.log10(best)) / width) ** 2;

/** How a small network's loss depends on its settings, as far as a formula can say it. */
const network = {
  space: {
    learningRate: { log: [1e-5, 1] },
    batchSize: { int: [8, 512], log: true },
    width: { int: [8, 512], log: true },
    depth: { int: [1, 4] },
    dropout: { float: [0, 0.6] },
    activation: { choice: ['relu', 'tanh', 'selu', 'mish'] },
    l2: { choice: [0, { log: [1e-6, 1e-1] }] },
  },
  value({ learningRate, batchSize, width, depth, dropout, activation, l2 }) {
    // Large batches take larger rates; deep networks smaller ones, and diverge earlier.
    const best = 2e-3 * Math.sqrt(batchSize / 32) * (2 / depth);
    if (learningRate > 60 * best) return Number.POSITIVE_INFINITY;
    const rate = valley(learningRate, best, 1);
    const capacity = valley(width * depth, 200, 1) + 0.05 * (depth - 2) ** 2;
    const fit = { relu: 0.03, tanh: 0.08, selu: 0, mish: 0.01 }[activation];
    const noise = (dropout - 0.1 - 0.15 * Math.min(1, width / 256)) ** 2;
    const decay = l2 === 0 ? 0.04 : 0.02 * valley(l2, 3e-4, 1);
    return 0.3 + 0.1 * rate + 0.05 * capacity + fit + 0.5 * noise + decay + 0.02 * valley(batchSize, 64, 1);
  },
  least: 0.3,
};

/** Each optimiser has settings of its own. */
const conditional = {
  space: {
    optimizer: {
      choice: [
        { choice: [{ value: ['adam', 0] }, { choice: [{ value: ['adam', 1] }] }] },
        { log: [1e-4, 10] },
      ],
    },
    rate: { choice: ['none', { log: [1e-5, 1] }, { float: [0, 1] }] },
    depth: { int: [1, 8] },
  },
  value({ optimizer, rate, depth }) {
    const first = Array.isArray(optimizer) ? 0.4 + 0.1 * optimizer[1] : 0.1 * valley(optimizer, 0.3, 0.7);
    const second = rate === 'none' ? 0.5 : Math.min(1, 0.15 * valley(rate, 0.02, 1));
    return first + second + 0.03 * (depth - 5) ** 2;
  },
  least: 0,
};

/** Hartmann's function of six numbers, with six local minima (Dixon and Szegö 1978). */
const A = [
  [10, 3, 17, 3.5, 1.7, 8],
  [0.05, 10, 17, 0.1, 8, 14],
  [3, 3.5, 1.7, 10, 17, 8],
  [17, 8, 0.05, 10, 0.1, 14],
];
const P = [
  [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
  [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
  [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.665],
  [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
];
const ALPHA = [1, 1.2, 3, 3.2];
const hartmann6 = {
  space: Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => [name, { float: [0, 1] }])),
  value(settings) {
    const x = Object.values(settings);
    const bump = (i) =>
      ALPHA[i] * Math.exp(-x.reduce((sum, xj, j) => sum + A[i][j] * (xj - P[i][j]) ** 2, 0));
    return -(bump(0) + bump(1) + bump(2) + bump(3));
  },
  least: -3.32237,
};

/** Branin's function of two numbers, with three minima (Dixon and Szegö 1978). */
const branin = {
  space: { x: { float: [-5, 10] }, y: { float: [0, 15] } },
  value: ({ x, y }) =>
    (y - (5.1 / (4 * Math.PI ** 2)) * x * x + (5 / Math.PI) * x - 6) ** 2 +
    10 * (1 - 1 / (8 * Math.PI)) * Math.cos(x) +
    10,
  least: 0.397887,
};

/** Rosenbrock's curved valley, two of its numbers whole. */
const rosenbrock = {
  space: { a: { float: [-2, 2] }, b: { float: [-1, 3] }, c: { int: [-2, 2] }, d: { int: [-1, 3] } },
  value: ({ a, b, c, d }) => {
    const part = (x, y) => 100 * (y - x * x) ** 2 + (1 - x) ** 2;
    return Math.log10(1 + part(a, b) + part(c, d));
  },
  least: 0,
};

/** Ackley's function of five numbers: many local minima (Ackley 1987). */
const ackley = {
  space: Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [name, { float: [-10, 22] }])),
  value(settings) {
    const x = Object.values(settings);
    const mean = (f) => x.reduce((sum, xi) => sum + f(xi), 0) / x.length;
    return (
      20 +
      Math.E -
      20 * Math.exp(-0.2 * Math.sqrt(mean((v) => v * v))) -
      Math.exp(mean((v) => Math.cos(2 * Math.PI * v)))
    );
  },
  least: 0,
};

/** Ten numbers of which two matter, and choices that interact. */
const sparse = {
  space: {
    ...Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`x${i}`, { log: [1e-4, 1] }])),
    kind: { choice: ['a', 'b', 'c', 'd'] },
    mode: { choice: [true, false] },
  },
  value(settings) {
    const { x0, x1, kind, mode, ...others } = settings;
    const best = { a: 1e-3, b: 1e-2, c: 1e-1, d: 3e-2 }[kind];
    const small = Object.values(others).reduce((sum, x) => sum + 0.01 * valley(x, 0.01, 1), 0);
    const match = mode === (kind === 'b') ? 0 : 0.2;
    return valley(x0, best, 1) + 0.5 * valley(x1, 0.03, 1) + small + match;
  },
  least: 0,
};

export const FUNCTIONS = { network, conditional, hartmann6, branin, rosenbrock, ackley, sparse };
