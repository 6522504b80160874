import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../src/errors.js';
import { kernelsRecipe } from '../../src/kernels/create.js';
import { Inference } from '../../src/model/inference.js';
import type { Model } from '../../src/model/load.js';
import type { ModelContent } from '../../src/model/model.js';
import { RandomState } from '../../src/random/randomState.js';
import { DTYPES } from '../../src/spec/words.js';
import { errorOf } from '../spec/support.js';
import { buildFixture, flatten, PYTORCH_NETWORKS, type PyTorchNetwork, specOf } from '../support/networks.js';
import { BINARY, CONTENT, modelOf, networkOf, REGRESSION } from './models.js';

const REFERENCE = kernelsRecipe({ backend: 'reference', relaxed: false }, 'float64');

/** The network of a PyTorch fixture as a model of numbers that are taken as they are. */
function modelOfFixture({ name, spec, loss, x, parameters, statistics }: PyTorchNetwork): Model {
  const input = x[0].length;
  const outputs = loss === 'softmax-cross-entropy' ? 2 : 1;
  return {
    path: name,
    dtype: 'float64',
    network: { ...specOf(spec), input },
    task: loss === 'mean-squared-error' ? 'regression' : 'multiclass',
    loss,
    header: true,
    features: x[0].map((_, i) => ({ kind: 'numeric', column: `x${i}`, shift: 0, scale: 1 })),
    targets: ['y'],
    ...(loss !== 'mean-squared-error' && { classes: Array.from({ length: outputs }, (_, i) => String(i)) }),
    tensors: new Map(
      Object.entries({ ...parameters, ...statistics }).map(([tensor, values]) => [
        tensor,
        Float64Array.from(flatten(values)),
      ]),
    ),
  };
}

/** A layer whose weights cost no time to draw. */
const plain = (units: number) => ({ type: 'linear', units, init: { type: 'zeros' } });

/** Rows of numbers that look random. */
function randomRows(rows: number, columns: number): number[][] {
  const random = new RandomState(3);
  return Array.from({ length: rows }, () => Array.from({ length: columns }, () => random.randn()));
}

/** The bits of each row's logits, the rows passed in this order, cut into pieces of these lengths. */
function logitsOf(inference: Inference, rows: readonly number[][], pieces: readonly number[]): string[] {
  const found: string[] = [];
  for (let start = 0, i = 0; start < rows.length; i++) {
    const piece = rows.slice(start, start + Math.min(pieces[i % pieces.length], inference.capacity));
    inference.x.data.set(piece.flat());
    const { data } = inference.forward(piece.length);
    const { outputs } = inference;
    for (let row = 0; row < piece.length; row++) {
      const bits = data.slice(row * outputs, (row + 1) * outputs);
      found.push(Buffer.from(bits.buffer).toString('hex'));
    }
    start += piece.length;
  }
  return found;
}

describe('Inference', () => {
  it.each(PYTORCH_NETWORKS)('has the logits of PyTorch: $name', (entry) => {
    const inference = Inference.create(modelOfFixture(entry), Math.max(8, entry.batch));
    inference.x.data.set(flatten(entry.x));
    const { data } = inference.forward(entry.batch);
    const count = entry.batch * inference.outputs;
    expect(data.subarray(0, count)).toBeAllclose(flatten(entry.expected.logits), {
      relative: 1e-10,
      absolute: 1e-16,
    });
  });

  it('has the logits of the network that was trained, its running statistics included', () => {
    const model = modelOf(CONTENT, 'float64');
    const inference = Inference.create(model);
    const rows = randomRows(5, inference.inputs);
    const { network, x } = buildFixture(
      {
        name: '',
        spec: model.network,
        loss: model.loss,
        l2: 0,
        batch: rows.length,
        x: rows,
        labels: [0, 0, 0, 0, 0],
        parameters: Object.fromEntries(Array.from(model.tensors, ([name, data]) => [name, [...data]])),
      },
      REFERENCE,
    );
    for (const { name, value } of network.statistics.list) value.data.set(model.tensors.get(name) ?? []);
    inference.x.data.set(rows.flat());
    const logits = inference.forward(rows.length).data.subarray(0, rows.length * inference.outputs);
    expect(logits).toBeAllclose(network.forward(rows.length, x).data, { relative: 1e-12 });
  });

  it('passes rows as zeros that an earlier call has left', () => {
    const inference = Inference.create(modelOf(CONTENT, 'float64'), 8);
    const { x, inputs } = inference;
    const written = (rows: number) => x.data.fill(1, 0, rows * inputs);
    const left = () => Array.from(x.data).filter((value) => value === 1).length / inputs;
    for (const rows of [5, 2, 8, 3, 0]) {
      written(rows);
      inference.forward(rows);
      expect(left()).toBe(rows);
    }
  });

  it.each(DTYPES)('gives a row the same bits whatever its neighbours are: %s', (dtype) => {
    // Widths with tails of every kind, and a product that is large enough for the packed path.
    const content: ModelContent = {
      ...CONTENT,
      network: networkOf([
        67,
        'gelu',
        'batch-norm',
        { type: 'residual', layers: [67, 'layer-norm', 'tanh'] },
        3,
      ]),
    };
    const inference = Inference.create(modelOf(content, dtype), 32);
    const rows = randomRows(70, inference.inputs);
    const expected = logitsOf(inference, rows, [1]);
    expect(new Set(expected).size).toBe(rows.length);
    const order = fc.shuffledSubarray(
      rows.map((_, i) => i),
      { minLength: 1 },
    );
    fc.assert(
      fc.property(order, fc.array(fc.integer({ min: 1, max: 32 }), { minLength: 1 }), (order, pieces) => {
        const found = logitsOf(
          inference,
          order.map((i) => rows[i]),
          pieces,
        );
        expect(found).toEqual(order.map((i) => expected[i]));
      }),
      { numRuns: 50 },
    );
  });

  it('predicts the probabilities of classes, and the likeliest', () => {
    for (const [content, width] of [
      [CONTENT, 3],
      [BINARY, 2],
    ] as const) {
      const inference = Inference.create(modelOf(content));
      expect(inference.width).toBe(width);
      const rows = randomRows(20, inference.inputs);
      inference.x.data.set(rows.flat());
      inference.forward(rows.length);
      const predictions = inference.predictions(rows.length);
      const labels = inference.labels(rows.length);
      expect([predictions.length, labels.length]).toEqual([rows.length * width, rows.length]);
      for (const [row, label] of labels.entries()) {
        const p = [...predictions.subarray(row * width, (row + 1) * width)];
        expect([p.reduce((sum, value) => sum + value)]).toBeAllclose([1], { absolute: 1e-15 });
        expect(p[label]).toBe(Math.max(...p));
      }
      expect(new Set(labels).size).toBeGreaterThan(1);
    }
  });

  it("predicts values in the targets' own units", () => {
    const { targetStandardization: _, ...plain } = REGRESSION;
    const [own, standardized] = [REGRESSION, plain].map((content) => {
      const inference = Inference.create(modelOf(content, 'float64'));
      inference.x.data.set(randomRows(2, inference.inputs).flat());
      inference.forward(2);
      return [...inference.predictions(2)];
    });
    const [a, b, c, d] = standardized;
    expect(own).toBeAllclose([10 + 4 * a, -1 + b / 2, 10 + 4 * c, -1 + d / 2], { relative: 1e-15 });
  });

  it('makes predictions anew after each pass', () => {
    const inference = Inference.create(modelOf(BINARY));
    const [first, second] = randomRows(2, inference.inputs).map((row) => {
      inference.x.data.set(row);
      inference.forward(1);
      return inference.predictions(1).slice();
    });
    expect(first).not.toEqual(second);
  });

  describe('of a small file whose rows take much memory', () => {
    // Residuals without weights: each keeps its results.
    const layers = [plain(20_000), ...new Array(10).fill({ type: 'residual', layers: ['relu'] }), plain(1)];
    const wide: ModelContent = { ...BINARY, network: networkOf(layers) };

    it('passes fewer of them at once, by the model alone', () => {
      expect(Inference.create(modelOf(CONTENT)).capacity).toBe(256);
      const { capacity } = Inference.create(modelOf(wide));
      expect(capacity).toBeGreaterThan(50);
      expect(capacity).toBeLessThan(256);
    });

    it('is refused where they do not fit into memory: 65', () => {
      const { exitCode, message } = errorOf(() => Inference.create(modelOf(wide), 10_000));
      expect(exitCode).toBe(ExitCode.data);
      expect(message).toMatch(
        /model\.safetensors: found a network that needs \d+\.\d GB of memory, expected one that fits$/,
      );
    });
  });

  it('has nothing to predict before the first pass', () => {
    const inference = Inference.create(modelOf(BINARY));
    expect(() => inference.predictions(1)).toThrow('no rows have been passed yet');
  });
});
