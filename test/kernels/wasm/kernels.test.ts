/** Every kernel against `reference`, over odd sizes; and the same bits for any number of ranks. */
import { describe, expect, it } from 'vitest';
import { ACTIVATION_TYPES, ACTIVATIONS as TABLE } from '../../../src/kernels/activations.js';
import { ELEMENT_LOSSES, type ElementLossType } from '../../../src/kernels/elementLosses.js';
import type { Activation, FloatArray, Kernels, Tensor } from '../../../src/kernels/kernels.js';
import { referenceKernels } from '../../../src/kernels/reference/index.js';
import { detectFeatures } from '../../../src/kernels/wasm/loader.js';
import { STEPS, takeStep } from '../steps.js';
import { epsilon, guardHolds, pseudoRandom, simulateTeam } from './team.js';

/** Without relaxed SIMD, and with it where the engine has it. */
const BUILDS = detectFeatures().relaxedSimd ? [false, true] : [false];
const VARIANTS = (['float32', 'float64'] as const).flatMap((dtype) =>
  BUILDS.flatMap((relaxed) => [1, 2, 3, 4].map((ranks) => ({ dtype, relaxed, ranks }))),
);
/** [rows, columns] */
const SHAPES = [
  [1, 1],
  [5, 3],
  [3, 10],
  [9, 1],
  [33, 17],
  [8, 64],
  [6, 65],
  [2, 130],
];
/** Where a loss puts its gradient, and how it smooths labels. */
const GRADIENTS = [
  ['apart', 0],
  ['in place', 0],
  ['none', 0],
  ['apart', 0.1],
  ['in place', 0.1],
  ['none', 0.1],
] as const;
const COUNTS = [1, 3, 5, 17, 64, 130, 1000, 4097, 10_007];
const ACTIVATIONS: Activation[] = ACTIVATION_TYPES.map((type) => ({
  type,
  parameter: type === 'leaky-relu' ? 0.01 : 0.7,
}));
const SPECIAL = [0, -0, Infinity, -Infinity, NaN, 1e-40, -1e-40, 100, -100, 1e4, -1e4, 1e30, -1e30];

function isSame(a: FloatArray, b: FloatArray): boolean {
  return a.length === b.length && a.every((x, i) => Object.is(x, b[i]));
}

/** An operation: takes its tensors from `tensor` and returns those whose values count, or a number. */
type Operation = (
  kernels: (operation: (k: Kernels) => number | undefined) => number | undefined,
  make: Make,
) => (Tensor | number | undefined)[];

interface Make {
  tensor(rows: number, columns: number, values?: ArrayLike<number>): Tensor;
  labels(values: ArrayLike<number>): ReturnType<ReturnType<typeof simulateTeam>['labels']>;
}

describe.each(VARIANTS)(
  'wasm kernels in $dtype, relaxed SIMD: $relaxed, $ranks ranks',
  ({ dtype, relaxed, ranks }) => {
    const ELEMENTS = 60_000;
    const team = simulateTeam(dtype, relaxed, ranks, ELEMENTS);
    const single = simulateTeam(dtype, relaxed, 1, ELEMENTS);
    const reference = referenceKernels(dtype);
    const unit = epsilon(dtype);
    /** A hundred of the smallest number there is: what a subnormal factor may be off by, times a logit. */
    const tiny = (100 * (dtype === 'float32' ? 2 ** -149 : 2 ** -1074)) / unit;

    /**
     * Runs the operation on the reference, on one rank and on all ranks: near the reference, with the bits of one rank, nothing written
     * past an output, one meeting for each operation.
     */
    function check(operation: Operation, relative: number, absolute: number, meetings = 1) {
      team.clear();
      single.clear();
      team.syncs = 0;
      const expected = operation((run) => run(reference), single).map(values);
      single.clear();
      const alone = operation((run) => single.run(run), single).map(values);
      const outputs = operation((run) => team.run(run), team);
      // Looked at first, here and below: `expect` takes as long as many an operation, and toEqual more.
      if (team.syncs !== meetings * ranks) expect(team.syncs).toBe(meetings * ranks);
      for (const [i, output] of outputs.entries()) {
        if (typeof output === 'object' && !guardHolds(output))
          expect.fail(`output ${i}: writes past the end`);
        const actual = values(output);
        if (!isSame(actual, alone[i])) expect(actual, `output ${i}, one rank`).toEqual(alone[i]);
        expect(actual, `output ${i}`).toBeAllclose(expected[i], {
          relative: relative * unit,
          absolute: absolute * unit,
        });
      }
    }

    function values(output: Tensor | number | undefined): FloatArray {
      return typeof output === 'object' ? output.data.slice() : Float64Array.of(output ?? NaN);
    }

    /** What an output holds before. */
    const junk = (count: number) => new Float32Array(count).fill(-7.5);

    it.each(ACTIVATIONS)('$type with and without bias', (f) => {
      for (const [rows, columns] of SHAPES) {
        const count = rows * columns;
        const x0 = pseudoRandom(count, rows, 6);
        for (const withBias of [true, false]) {
          const forward: Operation = (kernels, make) => {
            const x = make.tensor(rows, columns, x0);
            const y = TABLE[f.type].needsInput ? make.tensor(rows, columns, junk(count)) : x;
            const bias = withBias ? make.tensor(1, columns, pseudoRandom(columns, 3)) : null;
            kernels((k) => void k.biasActivation(f, rows, x, bias, y));
            return [x, y];
          };
          // gelu: the reference's e^−x²/2 carries three roundings of its exponent, up to 25 here.
          check(forward, f.type === 'gelu' ? 80 : 8, tiny);
        }
      }
    });

    it.each(ACTIVATIONS)('$type backward, with the gradient of the bias', (f) => {
      for (const [rows, columns] of SHAPES) {
        const count = rows * columns;
        for (const withBias of [true, false]) {
          const backward: Operation = (kernels, make) => {
            const x = make.tensor(rows, columns, pseudoRandom(count, rows, 6));
            const y = make.tensor(rows, columns);
            reference.biasActivation(f, rows, x, null, y);
            const dX = make.tensor(rows, columns, pseudoRandom(count, 5)); // in place of dY
            const dBias = withBias ? make.tensor(1, columns, junk(columns)) : null;
            kernels((k) => void k.biasActivationBackward(f, rows, x, y, dX, dX, dBias));
            return dBias ? [dX, dBias] : [dX];
          };
          // A derivative is at most 1.2, a sum at most `rows` of them; each term and each addition rounds.
          check(backward, 8, 8 * (rows + 1));
        }
      }
    });

    it.each(ACTIVATIONS)('$type of zeros, infinities, NaN and extremes', (f) => {
      const forward: Operation = (kernels, make) => {
        const x = make.tensor(1, SPECIAL.length, SPECIAL);
        const y = make.tensor(1, SPECIAL.length);
        kernels((k) => void k.biasActivation(f, 1, x, null, y));
        return [y];
      };
      check(forward, 8, tiny);
      const backward: Operation = (kernels, make) => {
        const x = make.tensor(1, SPECIAL.length, SPECIAL);
        const y = make.tensor(1, SPECIAL.length);
        reference.biasActivation(f, 1, x, null, y);
        const dX = make.tensor(1, SPECIAL.length);
        const dY = make.tensor(1, SPECIAL.length, new Float32Array(SPECIAL.length).fill(2));
        kernels((k) => void k.biasActivationBackward(f, 1, x, y, dY, dX, null));
        return [dX];
      };
      check(backward, 8, 8);
    });

    it.each(ACTIVATIONS)('parametric $type with and without bias', (f) => {
      for (const [rows, columns] of SHAPES) {
        const count = rows * columns;
        for (const withBias of [true, false]) {
          const forward: Operation = (kernels, make) => {
            const x = make.tensor(rows, columns, pseudoRandom(count, rows, 6));
            const bias = withBias ? make.tensor(1, columns, pseudoRandom(columns, 3)) : null;
            const slope = make.tensor(1, columns, pseudoRandom(columns, 4, 2));
            const y = make.tensor(rows, columns, junk(count));
            kernels((k) => void k.parametricActivation(f, rows, x, bias, slope, y));
            return [x, y];
          };
          // Both terms are at most 2·7 and round; they may cancel.
          check(forward, 8, 100);
        }
      }
    });

    it.each(ACTIVATIONS)('parametric $type backward, with the gradients of bias and slope', (f) => {
      for (const [rows, columns] of SHAPES) {
        const count = rows * columns;
        for (const withBias of [true, false]) {
          const backward: Operation = (kernels, make) => {
            const h = make.tensor(rows, columns, pseudoRandom(count, rows, 6));
            const slope = make.tensor(1, columns, pseudoRandom(columns, 4, 2));
            const dX = make.tensor(rows, columns, pseudoRandom(count, 5)); // in place of dY
            const dBias = withBias ? make.tensor(1, columns, junk(columns)) : null;
            const dSlope = make.tensor(1, columns, junk(columns));
            kernels((k) => void k.parametricActivationBackward(f, rows, h, slope, dX, dX, dBias, dSlope));
            return dBias ? [dX, dSlope, dBias] : [dX, dSlope];
          };
          // f(h) − h is at most 7 and cancels; a sum has `rows` such terms.
          check(backward, 8, 40 * (rows + 1));
        }
      }
    });

    it.each(ACTIVATIONS)('parametric $type with a slope of 1 is $type, bit for bit', (f) => {
      for (const [rows, columns] of SHAPES) {
        const count = rows * columns;
        team.clear();
        const x0 = pseudoRandom(count, rows, 6);
        const [x, h] = [team.tensor(rows, columns, x0), team.tensor(rows, columns, x0)];
        const bias = team.tensor(1, columns, pseudoRandom(columns, 3));
        const ones = team.tensor(1, columns, new Float32Array(columns).fill(1));
        const [y, other] = [team.tensor(rows, columns), team.tensor(rows, columns)];
        team.run((k) => void k.biasActivation(f, rows, x, bias, y));
        team.run((k) => void k.parametricActivation(f, rows, h, bias, ones, other));
        expect(isSame(other.data, y.data)).toBe(true);

        const dY = team.tensor(rows, columns, pseudoRandom(count, 5));
        const [dX, dH] = [team.tensor(rows, columns), team.tensor(rows, columns)];
        const [dBias, sums, dSlope] = [1, 2, 3].map(() => team.tensor(1, columns));
        team.run((k) => void k.biasActivationBackward(f, rows, x, y, dY, dX, dBias));
        team.run((k) => void k.parametricActivationBackward(f, rows, h, ones, dY, dH, sums, dSlope));
        expect(isSame(dH.data, dX.data)).toBe(true);
        expect(isSame(sums.data, dBias.data)).toBe(true);
      }
    });

    it('add, also in place; copy', () => {
      for (const [rows, columns] of SHAPES) {
        const count = rows * columns;
        const operation: Operation = (kernels, make) => {
          const a = make.tensor(rows, columns, pseudoRandom(count, 1));
          const b = make.tensor(rows, columns, pseudoRandom(count, 2));
          const sum = make.tensor(rows, columns);
          const same = make.tensor(rows, columns);
          kernels((k) => void k.add(rows, a, b, sum));
          kernels((k) => void k.add(rows, a, b, a));
          kernels((k) => void k.copy(rows, b, same));
          return [sum, a, same];
        };
        check(operation, 0, 0, 3);
      }
    });

    it('rows by a factor each, also by none and by infinity', () => {
      for (const [rows, columns] of SHAPES) {
        const factors = pseudoRandom(rows, 4, 3);
        factors.set([0, Infinity].slice(0, rows - 1), 1);
        const operation: Operation = (kernels, make) => {
          const x = make.tensor(rows, columns, pseudoRandom(rows * columns, columns));
          const f = make.tensor(rows, 1, factors);
          kernels((k) => void k.scaleRows(rows, f, x));
          return [x];
        };
        check(operation, 0, 0);
      }
    });

    it('only the rows of a shorter batch by their factors', () => {
      for (const columns of [1, 2, 5]) {
        const operation: Operation = (kernels, make) => {
          const x = make.tensor(9, columns, pseudoRandom(9 * columns, 1));
          const f = make.tensor(9, 1, pseudoRandom(9, 2));
          kernels((k) => void k.scaleRows(7, f, x));
          return [x];
        };
        check(operation, 0, 0);
      }
    });

    it('columns by a factor each, also in place', () => {
      for (const [rows, columns] of SHAPES) {
        const count = rows * columns;
        const operation: Operation = (kernels, make) => {
          const x = make.tensor(rows, columns, pseudoRandom(count, columns));
          const factors = make.tensor(1, columns, pseudoRandom(columns, 4, 3));
          const out = make.tensor(rows, columns, junk(count));
          kernels((k) => void k.scaleColumns(rows, factors, x, out));
          kernels((k) => void k.scaleColumns(rows, factors, x, x));
          return [out, x];
        };
        check(operation, 0, 0, 2);
      }
    });

    it('columns by a factor each backward, with the gradient of the input apart, in place or not at all', () => {
      for (const [rows, columns] of SHAPES) {
        const count = rows * columns;
        for (const gradient of ['apart', 'in place', 'none'] as const) {
          const operation: Operation = (kernels, make) => {
            const x = make.tensor(rows, columns, pseudoRandom(count, columns));
            const factors = make.tensor(1, columns, pseudoRandom(columns, 4, 3));
            const dY = make.tensor(rows, columns, pseudoRandom(count, 5));
            const apart = gradient === 'apart' ? make.tensor(rows, columns, junk(count)) : dY;
            const dFactors = make.tensor(1, columns, junk(columns));
            const dX = gradient === 'none' ? null : apart;
            kernels((k) => void k.scaleColumnsBackward(rows, factors, x, dY, dX, dFactors));
            return [apart, dFactors];
          };
          check(operation, 2, 2 * (rows + 1));
        }
      }
    });

    it('embedded numbers and their gradients, of odd sizes', () => {
      // [rows, columns, numbers, frequencies, learnt values]
      const sizes = [
        [1, 1, [0], 1, 1],
        [5, 4, [1, 3], 16, 3],
        [7, 3, [0, 1, 2], 5, 3],
        [3, 6, [4], 7, 2],
        [9, 2, [], 4, 3],
        [33, 5, [0, 2, 3, 4], 3, 4],
      ] as const;
      for (const [rows, columns, numbers, k, outs] of sizes) {
        const m = numbers.length;
        const width = m * (1 + outs) + columns - m;
        const rest = [...Array(columns).keys()].filter((column) => !numbers.some((each) => each === column));
        const tensors = (make: Make) => ({
          numbers: make.labels(numbers),
          others: make.labels(rest),
          frequency: make.tensor(m, k, pseudoRandom(m * k, 1)),
          phase: make.tensor(m, k, pseudoRandom(m * k, 2, 3)),
          weight: make.tensor(m * outs, k, pseudoRandom(m * outs * k, 3)),
          bias: make.tensor(m, outs, pseudoRandom(m * outs, 4)),
        });
        const forward: Operation = (kernels, make) => {
          const x = make.tensor(rows, columns, pseudoRandom(rows * columns, 5, 3));
          const y = make.tensor(rows, width, junk(rows * width));
          kernels((kernel) => void kernel.embedNumbers(rows, tensors(make), x, y));
          return [y];
        };
        // The angle is up to 22, and rounds in units of 32·ε.
        check(forward, 0, 64 * k);
        for (const needsInput of [true, false]) {
          const backward: Operation = (kernels, make) => {
            const x = make.tensor(rows, columns, pseudoRandom(rows * columns, 5, 3));
            const dY = make.tensor(rows, width, pseudoRandom(rows * width, 6));
            const gradients = {
              frequency: make.tensor(m, k, junk(m * k)),
              phase: make.tensor(m, k, junk(m * k)),
              weight: make.tensor(m * outs, k, junk(m * outs * k)),
              bias: make.tensor(m, outs, junk(m * outs)),
            };
            const dX = needsInput ? make.tensor(rows, columns, junk(rows * columns)) : null;
            const values = tensors(make);
            kernels((kernel) => void kernel.embedNumbersBackward(rows, values, x, dY, gradients, dX));
            return [...Object.values(gradients), ...(dX ? [dX] : [])];
          };
          check(backward, 0, 64 * 20 * outs * (rows + k));
        }
      }
    });

    it('waves of numbers, their gradients, and values side by side, of odd sizes', () => {
      // [rows, columns, numbers, frequencies, values]
      const sizes = [
        [1, 1, [0], 1, 1],
        [5, 4, [1, 3], 48, 24],
        [7, 3, [0, 1, 2], 5, 3],
        [3, 6, [4], 7, 6],
        [9, 2, [], 4, 3],
        [33, 5, [0, 2, 3, 4], 3, 5],
      ] as const;
      for (const [rows, columns, numbers, k, outs] of sizes) {
        const m = numbers.length;
        const width = m * outs + columns - m;
        // Room for two rows more than there are.
        const stored = m * (rows + 2);
        const tensors = (make: Make) => ({
          numbers: make.labels(numbers),
          others: make.labels([...Array(columns).keys()].filter((i) => !numbers.some((j) => i === j))),
          frequency: make.tensor(m, k, pseudoRandom(m * k, 1)),
        });
        const forward: Operation = (kernels, make) => {
          const x = make.tensor(rows, columns, pseudoRandom(rows * columns, 5, 3));
          const waves = make.tensor(stored, 2 * k, pseudoRandom(stored * 2 * k, 8));
          const values = make.tensor(stored, outs, pseudoRandom(stored * outs, 9));
          const y = make.tensor(rows, width, junk(rows * width));
          const own = tensors(make);
          kernels((kernel) => void kernel.embedWaves(rows, own, x, waves));
          kernels((kernel) => void kernel.joinNumbers(rows, own, values, x, y));
          return [waves, y];
        };
        // The angle is up to 19, and rounds in units of 32·ε.
        check(forward, 0, 128, 2);
        for (const needsInput of [true, false]) {
          const backward: Operation = (kernels, make) => {
            const x = make.tensor(rows, columns, pseudoRandom(rows * columns, 5, 3));
            const waves = make.tensor(stored, 2 * k, pseudoRandom(stored * 2 * k, 8));
            const dWaves = make.tensor(stored, 2 * k, pseudoRandom(stored * 2 * k, 7));
            const dY = make.tensor(rows, width, pseudoRandom(rows * width, 6));
            const dValues = make.tensor(stored, outs, pseudoRandom(stored * outs, 9));
            const dFrequency = make.tensor(m, k, junk(m * k));
            const dX = needsInput ? make.tensor(rows, columns, junk(rows * columns)) : null;
            const own = tensors(make);
            kernels((kernel) => void kernel.splitNumbers(rows, own, dY, dValues));
            kernels(
              (kernel) => void kernel.embedWavesBackward(rows, own, x, waves, dWaves, dY, dFrequency, dX),
            );
            return [dValues, dFrequency, ...(dX ? [dX] : [])];
          };
          check(backward, 0, 128 * (rows + k), 2);
        }
      }
    });

    it('numbers embedded by bins, and their gradients, below, within, at and above the edges', () => {
      // [rows, columns, numbers, bins, of them used by the numbers in turn, values]
      const sizes = [
        [1, 1, [0], 1, [1], 1],
        [5, 4, [1, 3], 48, [48, 7], 16],
        [40, 3, [0, 1, 2], 5, [5, 0, 1], 3],
        [3, 6, [4], 7, [6], 6],
        [9, 2, [], 4, [], 3],
        [33, 5, [0, 2, 3, 4], 3, [1, 3, 2, 0], 5],
      ] as const;
      for (const [rows, columns, numbers, bins, used, outs] of sizes) {
        const m = numbers.length;
        const width = m * outs + columns - m;
        // Quarters, so that some numbers are edges.
        const edges = used.flatMap((count, j) =>
          Array.from({ length: bins + 1 }, (_, t) => (Math.min(t, count) * (j + 1)) / 4 - 1),
        );
        const numbersOf = pseudoRandom(rows * columns, 5, 12).map((value) => Math.round(value) / 4);
        const tensors = (make: Make) => ({
          numbers: make.labels(numbers),
          others: make.labels([...Array(columns).keys()].filter((i) => !numbers.some((j) => i === j))),
          edges: make.tensor(m, bins + 1, edges),
          slope: make.tensor(m, outs, pseudoRandom(m * outs, 1)),
          bias: make.tensor(m, outs, pseudoRandom(m * outs, 2)),
          weight: make.tensor(m * bins, outs, pseudoRandom(m * bins * outs, 3)),
        });
        const forward = (kernels: Parameters<Operation>[0], make: Make) => {
          const x = make.tensor(rows, columns, numbersOf);
          const sums = make.tensor(m * bins, outs, junk(m * bins * outs));
          const places = make.tensor(rows, m, junk(rows * m));
          const y = make.tensor(rows, width, junk(rows * width));
          const values = tensors(make);
          kernels((kernel) => void kernel.sumBins(values, sums));
          kernels((kernel) => void kernel.embedBins(rows, values, x, sums, places, y));
          return { values, x, sums, places, y };
        };
        check(
          (kernels, make) => {
            const { places, y } = forward(kernels, make);
            return [places, y];
          },
          0,
          16 * (bins + 12),
          2,
        );
        for (const needsInput of [true, false]) {
          const backward: Operation = (kernels, make) => {
            const { values, x, sums, places } = forward(kernels, make);
            const dY = make.tensor(rows, width, pseudoRandom(rows * width, 6));
            const gradients = {
              slope: make.tensor(m, outs, junk(m * outs)),
              bias: make.tensor(m, outs, junk(m * outs)),
              weight: make.tensor(m * bins, outs, junk(m * bins * outs)),
            };
            const dX = needsInput ? make.tensor(rows, columns, junk(rows * columns)) : null;
            kernels(
              (kernel) => void kernel.embedBinsBackward(rows, values, x, places, dY, sums, gradients, dX),
            );
            return [...Object.values(gradients), ...(dX ? [dX] : [])];
          };
          check(backward, 0, 64 * (rows + outs), 3);
        }
      }
    });

    it('embedded levels and the gradients of their vectors, with numbers that are no levels', () => {
      // [rows, columns, columns of levels, their levels, size]
      const sizes = [
        [1, 1, [0], [1], 1],
        [6, 4, [1, 3], [2, 5], 8],
        [33, 5, [0, 1, 4], [3, 1, 4], 3],
        [3, 2, [], [], 4],
      ] as const;
      for (const [rows, columns, chosen, levels, size] of sizes) {
        const sumOf = (sum: number, count: number) => sum + count;
        const total = levels.reduce(sumOf, 0);
        const width = chosen.length * size + columns - chosen.length;
        const numbers = pseudoRandom(rows * columns, 5, 6).map(Math.trunc);
        numbers.set([NaN, Infinity, -Infinity, 1e10].slice(0, rows - 1), 0);
        const tensors = (make: Make) => ({
          columns: make.labels(chosen),
          ends: make.labels([0, ...levels.map((_, j) => levels.slice(0, j + 1).reduce(sumOf, 0))]),
          others: make.labels([...Array(columns).keys()].filter((i) => !chosen.some((j) => i === j))),
        });
        const forward: Operation = (kernels, make) => {
          const x = make.tensor(rows, columns, numbers);
          const vectors = make.tensor(total, size, pseudoRandom(total * size, 1));
          const y = make.tensor(rows, width, junk(rows * width));
          kernels((kernel) => void kernel.embedLevels(rows, tensors(make), x, vectors, y));
          return [y];
        };
        check(forward, 0, 0);
        const backward: Operation = (kernels, make) => {
          const x = make.tensor(rows, columns, numbers);
          const dY = make.tensor(rows, width, pseudoRandom(rows * width, 6));
          const dVectors = make.tensor(total, size, junk(total * size));
          const dX = make.tensor(rows, columns, junk(rows * columns));
          const values = tensors(make);
          kernels((kernel) => void kernel.embedLevelsBackward(rows, values, x, dY, dVectors, dX));
          return [dVectors, dX];
        };
        check(backward, 0, 0);
      }
    });

    it('sums of the weights of levels and their gradients, with numbers that are no levels', () => {
      // [rows, columns, columns of levels, their first rows, their levels, units]
      const sizes = [
        [1, 1, [0], [0], [1], 1],
        [6, 4, [1, 3], [1, 4], [2, 5], 40],
        [33, 5, [0, 1, 4], [0, 3, 6], [3, 1, 4], 3],
        [5, 2, [1], [1], [3], 67],
      ] as const;
      for (const [rows, columns, chosen, firsts, levels, units] of sizes) {
        const total = levels.reduce((sum: number, count) => sum + count, columns - chosen.length);
        const numbers = pseudoRandom(rows * columns, 5, 6).map(Math.trunc);
        numbers.set([NaN, Infinity, -Infinity, 1e10].slice(0, rows - 1), 0);
        const tensors = (make: Make) => ({
          columns: make.labels(chosen),
          firsts: make.labels(firsts),
          counts: make.labels(levels),
        });
        for (const beta of [0, 1] as const) {
          const forward: Operation = (kernels, make) => {
            const x = make.tensor(rows, columns, numbers);
            const weight = make.tensor(total, units, pseudoRandom(total * units, 1));
            const old = beta === 1 ? pseudoRandom(rows * units, 2) : junk(rows * units);
            const z = make.tensor(rows, units, old);
            kernels((kernel) => void kernel.sumLevels(rows, tensors(make), x, weight, beta, z));
            return [z];
          };
          check(forward, 0, 0);
        }
        const backward: Operation = (kernels, make) => {
          const x = make.tensor(rows, columns, numbers);
          const dZ = make.tensor(rows, units, pseudoRandom(rows * units, 6));
          // Rows of other columns stay.
          const dWeight = make.tensor(total, units, pseudoRandom(total * units, 7));
          const values = tensors(make);
          kernels((kernel) => void kernel.sumLevelsBackward(rows, values, x, dZ, dWeight));
          return [dWeight];
        };
        check(backward, 0, 0);
      }
    });

    it('the sum of the views of a row', () => {
      for (const [rows, columns] of SHAPES) {
        for (const views of [1, 2, 5]) {
          const operation: Operation = (kernels, make) => {
            const x = make.tensor(rows * views, columns, pseudoRandom(rows * views * columns, 3));
            const out = make.tensor(rows, columns, junk(rows * columns));
            kernels((k) => void k.sumViews(rows, views, x, out));
            return [out];
          };
          check(operation, 0, 2 * views);
        }
      }
    });

    it('gather of rows and labels', () => {
      for (const [rows, columns] of SHAPES) {
        const order = Array.from({ length: rows }, (_, i) => (i * 5 + 3) % 7);
        const operation: Operation = (kernels, make) => {
          const source = make.tensor(7, columns, pseudoRandom(7 * columns, 1));
          const labels = make.labels([4, 3, 2, 1, 0, 9, 8]);
          const indices = make.labels(order);
          const out = make.tensor(rows, columns);
          const outLabels = make.labels(new Int32Array(rows));
          kernels((k) => void k.gather(rows, source, indices, out));
          kernels((k) => void k.gatherLabels(rows, labels, indices, outLabels));
          return [out, ...outLabels.data];
        };
        check(operation, 0, 0, 2);
      }
    });

    it('softmax cross-entropy, with its gradient, in place or not at all', () => {
      for (const [rows, columns] of SHAPES) {
        const count = rows * columns;
        const labels = Array.from({ length: rows }, (_, i) => (i * 3) % columns);
        for (const [gradient, smoothing] of GRADIENTS) {
          const operation: Operation = (kernels, make) => {
            const logits = make.tensor(rows, columns, pseudoRandom(count, rows, 9));
            const targets = make.labels(labels);
            const loss = make.tensor(1, rows);
            const d = gradient === 'apart' ? make.tensor(rows, columns) : gradient === 'none' ? null : logits;
            kernels((k) => void k.softmaxCrossEntropy(rows, logits, targets, 0.25, loss, d, smoothing));
            return d ? [loss, d] : [loss];
          };
          // The shifted logits, up to 18, round before the exponential: that many ε in each term.
          check(operation, 40, 4);
        }
      }
    });

    it('keeps the loss of a row that is almost certain', () => {
      const operation: Operation = (kernels, make) => {
        const logits = make.tensor(2, 3, [0, -15, -15, 40, 10, 10]);
        const loss = make.tensor(1, 2);
        const d = make.tensor(2, 3);
        kernels((k) => void k.softmaxCrossEntropy(2, logits, make.labels([0, 0]), 1, loss, d));
        return [loss, d];
      };
      check(operation, 64, 0);
    });

    it('takes NaN and infinite logits as the reference does', () => {
      const rows = [
        [NaN, 1, 2, 3, 4],
        [1, 2, 3, 4, NaN],
        [Infinity, 1, 2, 3, 4],
        [-Infinity, 1, 2, 3, 4],
        [-Infinity, -Infinity, -Infinity, -Infinity, -Infinity],
        [1000, -1000, 0, 3, 4],
      ];
      const operation: Operation = (kernels, make) => {
        const logits = make.tensor(6, 5, rows.flat());
        const out = make.tensor(6, 5);
        const loss = make.tensor(1, 6);
        kernels((k) => void k.softmaxCrossEntropy(6, logits, make.labels([1, 1, 1, 1, 1, 1]), 1, loss, null));
        kernels((k) => void k.softmax(6, logits, out));
        return [loss, out];
      };
      check(operation, 16, 0, 2);
    });

    it('softmax, also in place', () => {
      for (const [rows, columns] of SHAPES) {
        const operation: Operation = (kernels, make) => {
          const logits = make.tensor(rows, columns, pseudoRandom(rows * columns, columns, 9));
          const out = make.tensor(rows, columns);
          kernels((k) => void k.softmax(rows, logits, out));
          kernels((k) => void k.softmax(rows, logits, logits));
          return [out, logits];
        };
        check(operation, 40, 0, 2);
      }
    });

    it.each(['softmax', 'sigmoid', 'identity'] as const)('the mean of members by %s', (mean) => {
      for (const [rows, columns] of SHAPES) {
        for (const members of [1, 2, 5]) {
          const operation: Operation = (kernels, make) => {
            // One row more than is averaged.
            const count = members * (rows + 1) * columns;
            const outputs = make.tensor(members * (rows + 1), columns, pseudoRandom(count, columns, 9));
            const out = make.tensor(rows + 1, columns);
            kernels((k) => void k.averageMembers(mean, rows, members, outputs, out));
            return [out];
          };
          check(operation, 40, 4);
        }
      }
    });

    it('the mean of members that are certain, or of other minds', () => {
      const operation: Operation = (kernels, make) => {
        const outputs = make.tensor(6, 2, [1e4, -1e4, 50, -50, 0, 300, 1e4, -1e4, 40, -60, 300, 0]);
        const out = ['softmax', 'sigmoid'] as const;
        return out.map((mean) => {
          const average = make.tensor(3, 2);
          kernels((k) => void k.averageMembers(mean, 3, 2, outputs, average));
          return average;
        });
      };
      check(operation, 16, 1e-2, 2);
    });

    it('clips each column, also without a limit; NaN stays', () => {
      for (const [rows, columns] of SHAPES) {
        const operation: Operation = (kernels, make) => {
          const some = pseudoRandom(rows * columns, rows, 9);
          const x = make.tensor(
            rows,
            columns,
            some.map((v, i) => (i % 7 === 3 ? SPECIAL[i % 13] : v)),
          );
          for (let j = 0; j < columns; j++) {
            const [low, high] = [
              [-2, 3],
              [-Infinity, 0],
              [0.1, Infinity],
              [1, 1],
            ][j % 4];
            kernels((k) => void k.clipColumn(rows, j, low, high, x));
          }
          return [x];
        };
        check(operation, 0, 0, columns);
      }
    });

    it.each(['sigmoidCrossEntropy', 'squaredError'] as const)('%s, with its gradient or without', (name) => {
      for (const [rows, columns] of SHAPES) {
        const count = rows * columns;
        const targets =
          name === 'squaredError'
            ? pseudoRandom(count, 9, 3)
            : pseudoRandom(count, 9).map((t) => (t > 0 ? 1 : 0));
        for (const [gradient, smoothing] of GRADIENTS) {
          if (name === 'squaredError' && smoothing !== 0) continue;
          const operation: Operation = (kernels, make) => {
            const output = make.tensor(rows, columns, pseudoRandom(count, rows, 9));
            const t = make.tensor(rows, columns, targets);
            const loss = make.tensor(1, rows);
            const d = gradient === 'apart' ? make.tensor(rows, columns) : gradient === 'none' ? null : output;
            kernels((k) => void k[name](rows, output, t, 0.25, loss, d, smoothing));
            return d ? [loss, d] : [loss];
          };
          check(operation, 16, 4);
        }
      }
    });

    it.each(Object.keys(ELEMENT_LOSSES) as ElementLossType[])('%s, with its gradient or without', (type) => {
      for (const [rows, columns] of SHAPES) {
        const count = rows * columns;
        for (const spread of [false, true]) {
          for (const gradient of ['apart', 'in place', 'none'] as const) {
            const operation: Operation = (kernels, make) => {
              const output = make.tensor(rows, columns, pseudoRandom(count, rows, 3));
              const width = spread ? 1 : columns;
              // Some outputs are their targets: at the kink.
              const own = pseudoRandom(rows * width, 9, 3).map((t, i) =>
                i % 5 === 2 ? output.data[spread ? i * columns : i] : t,
              );
              const t = make.tensor(rows, width, own);
              const needs = type === 'huberError' || type === 'pinballError';
              const levels = pseudoRandom(columns, 4).map((p) => 0.05 + 0.9 * Math.abs(p % 1));
              const parameters = needs ? make.tensor(1, columns, levels) : null;
              const loss = make.tensor(1, rows);
              const d =
                gradient === 'apart' ? make.tensor(rows, columns) : gradient === 'none' ? null : output;
              kernels((k) => void k.elementLoss(type, rows, output, t, parameters, 0.25, loss, d));
              return d ? [loss, d] : [loss];
            };
            check(operation, 16, 4);
          }
        }
      }
    });

    it.each(Object.keys(ELEMENT_LOSSES) as ElementLossType[])('%s of extremes', (type) => {
      const operation: Operation = (kernels, make) => {
        const output = make.tensor(SPECIAL.length, 1, SPECIAL);
        const t = make.tensor(
          SPECIAL.length,
          1,
          SPECIAL.map((_, i) => SPECIAL[(i * 5) % 13]),
        );
        const parameters = make.tensor(1, 1, [0.3]);
        const loss = make.tensor(1, SPECIAL.length);
        const d = make.tensor(SPECIAL.length, 1);
        kernels((k) => void k.elementLoss(type, SPECIAL.length, output, t, parameters, 1, loss, d));
        return [loss, d];
      };
      check(operation, 8, 1);
    });

    it('sorts each row; equal numbers and zeros of both signs stay in their order', () => {
      for (const [rows, columns] of SHAPES) {
        const operation: Operation = (kernels, make) => {
          const some = pseudoRandom(rows * columns, rows, 9).map((v, i) =>
            i % 4 === 1 ? [0, -0, 2][i % 3] : v,
          );
          const x = make.tensor(rows, columns, some);
          kernels((k) => void k.sortRows(rows, x));
          const sorted = Array.from({ length: rows }, (_, i) => some.slice(i * columns, (i + 1) * columns));
          expect([...x.data]).toEqual(
            sorted
              .flatMap((row) => [...Float64Array.from(row)].sort((a, b) => a - b))
              .map((v) => (dtype === 'float32' ? Math.fround(v) : v)),
          );
          return [x];
        };
        check(operation, 0, 0);
      }
    });

    it('sigmoid cross-entropy of extremes', () => {
      const operation: Operation = (kernels, make) => {
        const logits = make.tensor(SPECIAL.length, 1, SPECIAL);
        const loss = make.tensor(1, SPECIAL.length);
        const ones = make.tensor(SPECIAL.length, 1, new Float32Array(SPECIAL.length).fill(1));
        const d = make.tensor(SPECIAL.length, 1);
        kernels((k) => void k.sigmoidCrossEntropy(SPECIAL.length, logits, ones, 1, loss, d));
        return [loss, d];
      };
      check(operation, 8, 1);
    });

    it('sums in double precision', () => {
      for (const count of COUNTS) {
        const operation: Operation = (kernels, make) => {
          const x = make.tensor(1, count, pseudoRandom(count, count));
          const sum = kernels((k) => k.sum(count, x));
          const squares = kernels((k) => k.sumOfSquares(count, x));
          return [sum, squares];
        };
        const double = epsilon('float64') / unit;
        check(operation, count * double, count * double, 2);
      }
    });

    it('sums magnitudes in double precision', () => {
      for (const count of COUNTS) {
        const operation: Operation = (kernels, make) => {
          const x = make.tensor(1, count, pseudoRandom(count, count));
          return [kernels((k) => k.sumOfMagnitudes(count, x))];
        };
        const double = epsilon('float64') / unit;
        check(operation, count * double, count * double);
      }
    });

    it('adds signs, of zeros and NaN too, and scales', () => {
      for (const count of COUNTS) {
        const some = pseudoRandom(count, count).map((x, i) => (i % 3 === 0 ? SPECIAL[i % 11] : x));
        const operation: Operation = (kernels, make) => {
          const x = make.tensor(1, count, some);
          const y = make.tensor(1, count, pseudoRandom(count, 2));
          const z = make.tensor(1, count, pseudoRandom(count, 3));
          kernels((k) => void k.addSigns(count, 0.3, x, y));
          kernels((k) => void k.scale(count, 0.3, z));
          return [y, z];
        };
        check(operation, 2, 2, 2);
      }
    });

    it('adds a multiple of a tensor to itself', () => {
      for (const count of COUNTS) {
        const operation: Operation = (kernels, make) => {
          const x = make.tensor(1, count, pseudoRandom(count, 1));
          kernels((k) => void k.addScaled(count, -0.01, x, x));
          return [x];
        };
        check(operation, 2, 0);
      }
    });

    it.each([
      [false, 0],
      [false, 0.9],
      [true, 0],
      [true, 0.9],
    ])('the step of rmsprop, centered %s, momentum %d', (centered, momentum) => {
      for (const count of COUNTS) {
        const operation: Operation = (kernels, make) => {
          const [p, g, s, m, v] = [1, 2, 3, 4, 5].map((seed) =>
            make.tensor(1, count, pseudoRandom(count, seed)),
          );
          s.data.set(s.data.map(Math.abs));
          const options = { learningRate: 0.01, alpha: 0.9, epsilon: 1e-3, momentum, centered };
          const config = { type: 'rmsprop', ...options } as const;
          const finite = kernels((k) => Number(takeStep(k, config, count, p, g, [s, m, v])));
          return [finite, p, s, m, v];
        };
        check(operation, 8, 8);
      }
    });

    it('the step of adagrad', () => {
      for (const count of COUNTS) {
        for (const initialAccumulator of [0, 0.1]) {
          const operation: Operation = (kernels, make) => {
            const [p, g, s] = [1, 2, 3].map((seed) => make.tensor(1, count, pseudoRandom(count, seed)));
            s.data.set(s.data.map(Math.abs));
            const config = {
              type: 'adagrad',
              learningRate: 0.1,
              initialAccumulator,
              epsilon: 1e-10,
            } as const;
            const finite = kernels((k) => Number(takeStep(k, config, count, p, g, [s])));
            return [finite, p, s];
          };
          check(operation, 4, 4);
        }
      }
    });

    it('the steps of sgd, momentum, nesterov and adam, and addScaled', () => {
      for (const count of COUNTS) {
        for (const nesterov of [false, true]) {
          const operation: Operation = (kernels, make) => {
            const [p, q, g, u, m, v] = [1, 2, 3, 4, 5, 6].map((seed) =>
              make.tensor(1, count, pseudoRandom(count, seed)),
            );
            v.data.set(v.data.map(Math.abs));
            const moments = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
            const adam = { type: 'adam', learningRate: 0.01, ...moments } as const;
            const sgd = { type: 'sgd', learningRate: 0.1, momentum: 0.9, nesterov } as const;
            kernels((k) => void takeStep(k, adam, count, p, g, [m, v]));
            kernels((k) => void takeStep(k, sgd, count, q, g, [u]));
            kernels((k) => void takeStep(k, { ...sgd, momentum: 0 }, count, q, g, []));
            kernels((k) => void k.addScaled(count, 0.3, q, p));
            return [p, q, u, m, v];
          };
          check(operation, 4, 4, 4);
        }
      }
    });

    it.each(Object.entries(STEPS))('the step of an optimiser of the table: %s', (_, config) => {
      for (const count of COUNTS) {
        const operation: Operation = (kernels, make) => {
          const [p, g, ...state] = [1, 2, 3, 4, 5].map((seed) =>
            make.tensor(1, count, pseudoRandom(count, seed).map(seed > 2 ? Math.abs : Number)),
          );
          const finite = kernels((k) => Number(takeStep(k, config, count, p, g, state)));
          return [finite, p, ...state];
        };
        check(operation, 16, 16);
      }
    });
  },
);
