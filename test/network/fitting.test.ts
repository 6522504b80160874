import { describe, expect, it } from 'vitest';
import { Arena } from '../../src/kernels/arena.js';
import { kernelsRecipe } from '../../src/kernels/create.js';
import { referenceKernels } from '../../src/kernels/reference/index.js';
import { type Batch, Network } from '../../src/network/network.js';
import { RandomState } from '../../src/random/randomState.js';
import { BACKENDS } from '../support/backends.js';
import { fixture } from '../support/fixtures.js';
import { flatten, type Numbers, specOf } from '../support/networks.js';

/** A network as test/fixtures/numpy/initialize.py starts it. */
interface Start {
  name: string;
  spec: unknown;
  seed: number;
  batch: number;
  x: number[][];
  parameters: Record<string, Numbers>;
  next: number;
}

const STARTS = fixture<Start[]>('numpy/initialize.json');
const OPTIONS = { loss: 'mean-squared-error', l2: 0, seed: 0 } as const;

describe.each(BACKENDS)('$name', ({ choice, skip }) => {
  describe.skipIf(skip).each([
    { dtype: 'float64', tolerance: { relative: 1e-11, absolute: 1e-13 } },
    { dtype: 'float32', tolerance: { relative: 1e-4, absolute: 1e-5 } },
  ] as const)('in $dtype', ({ dtype, tolerance }) => {
    it.each(STARTS)('starts as in NumPy: $name', ({ spec, seed, batch, x, parameters, next }) => {
      const recipe = kernelsRecipe({ ...choice, leastProduct: 1 }, dtype);
      const arena = Arena.ofSize(dtype, (1 << 18) + recipe.scratchBytes);
      const kernels = recipe.create(arena.memory, arena.block(recipe.scratchBytes));
      const options = { ...OPTIONS, inputs: x[0].length, capacity: batch };
      const network = new Network(specOf(spec), options, kernels, arena);
      const buffer = arena.tensor(batch, x[0].length);
      const random = new RandomState(seed);
      network.initialize(random, function* (): Generator<Batch> {
        for (let first = 0; first < x.length; first += batch) {
          const rows = x.slice(first, first + batch);
          buffer.data.set(flatten(rows));
          yield { rows: rows.length, x: buffer };
        }
      });
      expect(network.parameters.list.map(({ name }) => name)).toEqual(Object.keys(parameters));
      for (const { name, value } of network.parameters.list) {
        expect(value.data, name).toBeAllclose(flatten(parameters[name]), tolerance);
      }
      expect(random.rand()).toBe(next);
    });
  });
});

describe('weights that are fitted to rows', () => {
  const build = (spec: unknown, capacity = 64, inputs = 3) => {
    const arena = Arena.ofSize('float64', 1 << 20);
    const network = new Network(
      specOf(spec),
      { ...OPTIONS, inputs, capacity },
      referenceKernels('float64'),
      arena,
    );
    return { network, arena };
  };
  const init = { type: 'unit-variance' };

  it('make each output vary by 1 over the rows, whatever the scale of the inputs', () => {
    const { network, arena } = build({
      layers: [{ type: 'linear', units: 8, init, parametrization: 'ntk' }],
    });
    const random = new RandomState(3);
    const x = arena.tensor(64, 3);
    for (let i = 0; i < x.data.length; i++) x.data[i] = [1e-3, 1, 1e6][i % 3] * random.randn() + 5;
    network.initialize(random, () => [{ rows: 64, x }]);
    const { data } = network.forward(64, x);
    for (let j = 0; j < 8; j++) {
      const column = Array.from({ length: 64 }, (_, row) => data[row * 8 + j]);
      const mean = column.reduce((sum, z) => sum + z, 0) / 64;
      const variance = column.reduce((sum, z) => sum + (z - mean) ** 2, 0) / 64;
      expect(variance).toBeCloseTo(1, 9);
    }
  });

  it('put the kink of each unit of he+5 among its rows', () => {
    const layer = { type: 'linear', units: 40, init, biasInit: { type: 'he+5' } };
    const { network, arena } = build({ layers: [layer] });
    const random = new RandomState(5);
    const x = arena.tensor(64, 3);
    for (let i = 0; i < x.data.length; i++) x.data[i] = 100 + random.randn();
    network.initialize(random, () => [{ rows: 64, x }]);
    const { data } = network.forward(64, x);
    for (let j = 0; j < 40; j++) {
      const column = Array.from({ length: 64 }, (_, row) => data[row * 40 + j]);
      expect(Math.min(...column)).toBeLessThan(0);
      expect(Math.max(...column)).toBeGreaterThan(0);
    }
  });

  it('need rows, and no others do', () => {
    expect(() =>
      build({ layers: [{ type: 'linear', units: 2, init }] }).network.initialize(new RandomState(0)),
    ).toThrow('initialize: found no rows, expected some: unit-variance, he+5 and bins need them');
    const { network } = build({ layers: [2] });
    network.initialize(new RandomState(0), () => {
      throw new Error('asked for rows');
    });
  });
});
