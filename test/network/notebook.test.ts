import { describe, expect, it } from 'vitest';
import { buildNetwork } from '../../src/gradcheck/networkCheck.js';
import { kernelsRecipe } from '../../src/kernels/create.js';
import { initialize } from '../../src/network/initialize.js';
import { RandomState } from '../../src/random/randomState.js';
import { BACKENDS } from '../support/backends.js';
import { fixture } from '../support/fixtures.js';
import { flatten, specOf } from '../support/networks.js';

type Matrix = number[][];

interface Notebook {
  toy: {
    x: Matrix;
    labels: number[];
    initial: {
      parameters: Record<string, Matrix | number[]>;
      scores: Matrix;
      l2: number;
      loss: number;
      gradients: Record<string, Matrix | number[]>;
    };
  };
}

describe("the class notebook's toy problem", () => {
  const { x, labels, initial } = fixture<Notebook>('numpy/notebook.json').toy;
  const init = { type: 'normal', std: 0.1 };
  const layers = [{ type: 'linear', units: 10, init }, 'relu', { type: 'linear', units: 3, init }];
  const problem = {
    name: 'toy',
    spec: specOf({ layers }),
    loss: 'softmax-cross-entropy',
    l2: initial.l2,
    seed: 0,
    x: Float64Array.from(x.flat()),
    rows: 5,
    inputs: 4,
    targets: Int32Array.from(labels),
    outputs: 3,
  } as const;

  it('has its rows: 10·randn from seed 1', () => {
    const random = new RandomState(1);
    expect(Array.from(x.flat(), () => 10 * random.randn())).toBeAllclose(x.flat(), { relative: 1e-15 });
  });

  describe.each(BACKENDS)('$name', ({ choice, skip }) => {
    it.skipIf(skip)('starts with its weights, scores, loss and gradients', () => {
      const built = buildNetwork(problem, kernelsRecipe({ ...choice, leastProduct: 1 }, 'float64'));
      const { network } = built;
      initialize(network.parameters.list, new RandomState(0));
      const tolerance = { relative: 1e-12, absolute: 1e-16 };
      for (const { name, value } of network.parameters.list) {
        expect(value.data).toBeAllclose(flatten(initial.parameters[name]), tolerance);
      }
      expect(network.forward(5, built.x).data).toBeAllclose(initial.scores.flat(), tolerance);
      expect([network.lossAndGradients(5, built.x, built.targets)]).toBeAllclose([initial.loss], tolerance);
      for (const { name, gradient } of network.parameters.list) {
        expect(gradient.data).toBeAllclose(flatten(initial.gradients[name]), tolerance);
      }
    });
  });
});
