/**
 * Checks the gradients of a network of your own, and grades a derivation by hand. Run it with: node
 * examples/gradcheck.mjs
 */
import { gradcheck } from 'mlp-train';

// A network on its own data: backpropagation against numeric derivatives.
const network = await gradcheck({
  data: { x: [[0.1, 0.2], [0.3, -0.4], [-0.5, 0.6]], y: [1.5, -0.5, 0.25], validation: 0 }, // biome-ignore format: short
  network: { layers: [4, 'tanh', { type: 'residual', layers: [4, 'gelu'] }, 1] },
  training: { l2: 0.01 },
});
const [{ maxRelativeError, parameters }] = network.checks;
console.log(`${parameters.length} parameters, largest relative error ${maxRelativeError.toExponential(1)}`);

// A graph: the derivative of w is right, that of b is not.
const graph = await gradcheck({
  inputs: { x: 2, w: 0.5, b: -0.25 },
  nodes: { y: 'tanh(x * w + b)' },
  output: 'y',
  manual: { w: 1.1931, b: 0.5 },
});
for (const { name, problem } of graph.checks[0].parameters) console.log(`${name}: ${problem ?? 'right'}`);
