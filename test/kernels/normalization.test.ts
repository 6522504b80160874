/** The normalisations: the plain loops by hand and by property, and WASM by the plain loops. */
import { describe, expect, it } from 'vitest';
import type { DType, FloatArray, NormalizationKernels, Tensor } from '../../src/kernels/kernels.js';
import { referenceKernels } from '../../src/kernels/reference/index.js';
import { detectFeatures } from '../../src/kernels/wasm/loader.js';
import { epsilon, guardHolds, pseudoRandom, simulateTeam } from './wasm/team.js';

const EPSILON = 1e-5;
/** [rows, columns]: single rows and columns, tails of every length for both dtypes, strips and slices that end in between. */
const SHAPES = [
  [1, 1],
  [1, 7],
  [2, 2],
  [9, 1],
  [5, 3],
  [7, 4],
  [3, 5],
  [3, 10],
  [33, 17],
  [6, 65],
  [4, 130],
  [2, 259],
];

/** Makes tensors of these values, all different and none shared. */
type Make = (rows: number, columns: number, values?: ArrayLike<number>) => Tensor;
type Run = (operation: (kernels: NormalizationKernels) => void) => void;

function plainTensor(dtype: DType): Make {
  return (rows, columns, values = new Float64Array(rows * columns)) => {
    const data = dtype === 'float32' ? Float32Array.from(values) : Float64Array.from(values);
    return { data, rows, columns, address: 0 };
  };
}

interface BatchNormCase {
  readonly x: Tensor;
  readonly scale: Tensor;
  readonly shift: Tensor;
  readonly moments: Tensor;
  readonly running: { momentum: number; mean: Tensor; variance: Tensor };
  readonly y: Tensor;
}

/** Numbers between −3 and 3, or what `values` gives. */
function batchNormCase(make: Make, rows: number, columns: number, values?: ArrayLike<number>): BatchNormCase {
  const ofColumns = (seed: number, offset = 0) =>
    make(
      1,
      columns,
      pseudoRandom(columns, seed).map((value) => value + offset),
    );
  return {
    x: make(rows, columns, values ?? pseudoRandom(rows * columns, rows, 3)),
    scale: ofColumns(2),
    shift: ofColumns(3),
    moments: make(3, columns, new Float32Array(3 * columns).fill(-7.5)),
    running: { momentum: 0.3, mean: ofColumns(4), variance: ofColumns(5, 2) },
    y: make(rows, columns, new Float32Array(rows * columns).fill(-7.5)),
  };
}

function forward(run: Run, { x, scale, shift, moments, running, y }: BatchNormCase, learning = true): void {
  run((k) => k.batchNorm(x.rows, EPSILON, x, scale, shift, moments, learning ? running : null, y));
}

const once =
  (dtype: DType): Run =>
  (operation) =>
    operation(referenceKernels(dtype));

describe('batch normalisation of the plain loops', () => {
  const make = plainTensor('float64');

  it('gives columns of mean shift and standard deviation scale, and follows their mean and unbiased variance', () => {
    // Columns 1, 2, 3, 6 (mean 3, squares 14) and 10, 10, 10, 30 (mean 15, squares 300).
    const built = batchNormCase(make, 4, 2, [1, 10, 2, 10, 3, 10, 6, 30]);
    built.scale.data.set([1, 2]);
    built.shift.data.set([0, -1]);
    built.running.mean.data.set([0, 1]);
    built.running.variance.data.set([1, 2]);
    forward(once('float64'), built);
    const [first, second] = [1 / Math.sqrt(3.5 + EPSILON), 1 / Math.sqrt(75 + EPSILON)];
    expect(built.moments.data).toBeAllclose([3, 15, 0, 0, first, second], { relative: 1e-15 });
    expect(built.y.data).toBeAllclose(
      [
        -2 * first,
        -10 * second - 1,
        -first,
        -10 * second - 1,
        0,
        -10 * second - 1,
        3 * first,
        30 * second - 1,
      ],
      { relative: 1e-15 },
    );
    expect(built.running.mean.data).toBeAllclose([0.3 * 3, 0.7 + 0.3 * 15], { relative: 1e-15 });
    expect(built.running.variance.data).toBeAllclose([0.7 + 0.3 * (14 / 3), 1.4 + 0.3 * 100], {
      relative: 1e-15,
    });
  });

  it('leaves the running mean and variance where none are given', () => {
    const built = batchNormCase(make, 5, 3);
    const { mean, variance } = built.running;
    const before = [mean.data.slice(), variance.data.slice()];
    forward(once('float64'), built, false);
    expect([mean.data, variance.data]).toEqual(before);
  });

  it('takes the running mean and variance in evaluation', () => {
    const { x, scale, shift, running, y } = batchNormCase(make, 1, 2, [5, 7]);
    running.mean.data.set([1, 7]);
    running.variance.data.set([4, 9]);
    once('float64')((k) => k.batchNormEvaluation(1, 0, x, scale, shift, running, y));
    expect(y.data).toBeAllclose([2 * scale.data[0] + shift.data[0], shift.data[1]], { relative: 1e-15 });
  });
});

describe('layer normalisation of the plain loops', () => {
  it('gives rows of mean 0 and variance 1, times scale plus shift', () => {
    const make = plainTensor('float64');
    const x = make(2, 4, [1, 2, 3, 6, -10, -10, -10, -30]);
    const [scale, shift] = [make(1, 4, [1, 2, 3, 4]), make(1, 4, [0, 1, 0, 1])];
    const [moments, y] = [make(2, 3), make(2, 4)];
    once('float64')((k) => k.layerNorm(2, EPSILON, x, scale, shift, moments, y));
    const [first, second] = [1 / Math.sqrt(3.5 + EPSILON), 1 / Math.sqrt(75 + EPSILON)];
    expect(moments.data).toBeAllclose([3, 0, first, -15, 0, second], { relative: 1e-15 });
    expect(y.data).toBeAllclose(
      [
        -2 * first,
        -2 * first + 1,
        0,
        12 * first + 1,
        5 * second,
        10 * second + 1,
        15 * second,
        -60 * second + 1,
      ],
      { relative: 1e-15, absolute: 1e-15 },
    );
  });
});

const BUILDS = detectFeatures().relaxedSimd ? [false, true] : [false];
const VARIANTS = (['float32', 'float64'] as const).flatMap((dtype) =>
  BUILDS.flatMap((relaxed) => [1, 2, 3, 4].map((ranks) => ({ dtype, relaxed, ranks }))),
);

describe.each(VARIANTS)('wasm normalisation in $dtype, relaxed SIMD: $relaxed, $ranks ranks', (variant) => {
  const { dtype, relaxed, ranks } = variant;
  const ELEMENTS = 20_000;
  const team = simulateTeam(dtype, relaxed, ranks, ELEMENTS);
  const single = simulateTeam(dtype, relaxed, 1, ELEMENTS);
  const unit = epsilon(dtype);

  /**
   * Does the same with the plain loops, one rank, and all ranks: near the first, with the bits of the second, nothing
   * written past an output, one meeting for each operation.
   */
  function check(operation: (run: Run, make: Make) => readonly Tensor[], tolerance: number, meetings = 1) {
    const expected = operation(once(dtype), plainTensor(dtype));
    const bits: FloatArray[][] = [];
    for (const ranked of [single, team]) {
      ranked.clear();
      ranked.syncs = 0;
      const outputs = operation(ranked.run, ranked.tensor);
      expect(ranked.syncs).toBe(meetings * ranked.ranks.length);
      for (const [i, output] of outputs.entries()) {
        expect(guardHolds(output), 'writes past the end').toBe(true);
        expect(output.data, `output ${i}`).toBeAllclose(expected[i].data, {
          relative: tolerance * unit,
          absolute: tolerance * unit,
        });
      }
      bits.push(outputs.map(({ data }) => data.slice()));
    }
    expect(bits[1], `${ranks} ranks`).toEqual(bits[0]);
  }

  it.each(SHAPES)('normalises batches of %d×%d, in training and in evaluation', (rows, columns) => {
    check((run, make) => {
      const built = batchNormCase(make, rows, columns);
      // A single row has no unbiased variance to follow.
      forward(run, built, rows > 1);
      const { y, moments, running } = built;
      return [y, moments, running.mean, running.variance];
    }, 20);
    check((run, make) => {
      const { x, scale, shift, running, y } = batchNormCase(make, rows, columns);
      run((k) => k.batchNormEvaluation(rows, EPSILON, x, scale, shift, running, y));
      return [y];
    }, 20);
  });

  it.each(SHAPES)(
    'has the gradients of a batch of %d×%d, in place and without that of the input',
    (rows, columns) => {
      for (const withInput of [true, false]) {
        check(
          (run, make) => {
            const built = batchNormCase(make, rows, columns);
            forward(once(dtype), built, false);
            const dY = make(rows, columns, pseudoRandom(rows * columns, 9, 2));
            const [dScale, dShift] = [make(1, columns, pseudoRandom(columns, 1)), make(1, columns)];
            const dX = withInput ? dY : null;
            run((k) =>
              k.batchNormBackward(rows, built.x, built.moments, built.scale, dY, dX, dScale, dShift),
            );
            return [dY, dScale, dShift];
          },
          // A single row has 1/√ε as its factor, of differences that vanish.
          rows === 1 ? 400 : 40 * (rows + 1),
        );
      }
    },
  );

  it.each(SHAPES)('normalises %d rows of %d, with their gradients', (rows, columns) => {
    check((run, make) => {
      const { x, scale, shift, y } = batchNormCase(make, rows, columns);
      const moments = make(rows, 3);
      run((k) => k.layerNorm(rows, EPSILON, x, scale, shift, moments, y));
      return [y, moments];
    }, 20);
    check(
      (run, make) => {
        const { x, scale, shift, y } = batchNormCase(make, rows, columns);
        const moments = make(rows, 3);
        once(dtype)((k) => k.layerNorm(rows, EPSILON, x, scale, shift, moments, y));
        const dY = make(rows, columns, pseudoRandom(rows * columns, 9, 2));
        const [dScale, dShift] = [make(1, columns, pseudoRandom(columns, 1)), make(1, columns)];
        run((k) => k.layerNormParameters(rows, x, moments, dY, dScale, dShift));
        run((k) => k.layerNormBackward(rows, x, moments, scale, dY, dY));
        return [dScale, dShift, dY];
      },
      // Two numbers may lie so near to each other that they are divided by little more than √ε.
      columns === 1 ? 1000 : 40 * (columns + rows),
      2,
    );
  });

  it('keeps the digits of columns and rows whose mean is a million times their deviation', () => {
    const [rows, columns] = [64, 5];
    const values = pseudoRandom(rows * columns, 3, Math.sqrt(3)).map((value) => Math.fround(1e6 + value));
    const exact = (at: (i: number) => number, count: number) => {
      const all = Array.from({ length: count }, (_, i) => values[at(i)] - 1e6);
      const mean = all.reduce((sum, value) => sum + value, 0) / count;
      const variance = all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
      return all.map((value) => (value - mean) / Math.sqrt(variance + EPSILON));
    };
    // In float64 the numbers themselves carry ten digits of their deviation.
    const tolerance = { absolute: dtype === 'float32' ? 1e-6 : 1e-9 };
    team.clear();
    const built = batchNormCase(team.tensor, rows, columns, values);
    built.scale.data.fill(1);
    built.shift.data.fill(0);
    forward(team.run, built);
    for (let j = 0; j < columns; j++) {
      const column = built.y.data.filter((_, at) => at % columns === j);
      expect(column).toBeAllclose(
        exact((i) => i * columns + j, rows),
        tolerance,
      );
    }
    const width = rows * columns;
    const row = batchNormCase(team.tensor, 1, width, values);
    row.scale.data.fill(1);
    row.shift.data.fill(0);
    const moments = team.tensor(1, 3);
    team.run((k) => k.layerNorm(1, EPSILON, row.x, row.scale, row.shift, moments, row.y));
    expect(row.y.data).toBeAllclose(
      exact((i) => i, width),
      tolerance,
    );
  });

  it('gives the shift for what is constant, and gradients that are finite', () => {
    const [rows, columns] = [6, 9];
    for (const constant of [0, 0.1, -3, 1e6]) {
      team.clear();
      const { x, scale, shift, moments, running, y } = batchNormCase(
        team.tensor,
        rows,
        columns,
        Array(rows * columns).fill(constant),
      );
      const close = { absolute: 1e-6 };
      const shifts = Array.from({ length: rows }, () => [...shift.data]).flat();
      team.run((k) => k.batchNorm(rows, EPSILON, x, scale, shift, moments, running, y));
      expect(y.data).toBeAllclose(shifts, close);
      const dY = team.tensor(rows, columns, pseudoRandom(rows * columns, 1));
      const [dScale, dShift] = [team.tensor(1, columns), team.tensor(1, columns)];
      team.run((k) => k.batchNormBackward(rows, x, moments, scale, dY, dY, dScale, dShift));
      for (const { data } of [dY, dScale, dShift, running.variance])
        expect(data.every(Number.isFinite)).toBe(true);
      const rowMoments = team.tensor(rows, 3);
      team.run((k) => k.layerNorm(rows, EPSILON, x, scale, shift, rowMoments, y));
      expect(y.data).toBeAllclose(shifts, close);
      team.run((k) => k.layerNormBackward(rows, x, rowMoments, scale, dY, dY));
      expect(dY.data.every(Number.isFinite)).toBe(true);
    }
  });

  it('lets NaN and infinity spoil their own column or row, and no other', () => {
    const [rows, columns] = [5, 7];
    const values = pseudoRandom(rows * columns, 4);
    values[2 * columns + 3] = Infinity;
    values[4 * columns + 5] = NaN;
    team.clear();
    const { x, scale, shift, moments, y } = batchNormCase(team.tensor, rows, columns, values);
    team.run((k) => k.batchNorm(rows, EPSILON, x, scale, shift, moments, null, y));
    expect([...y.data].map((value) => !Number.isFinite(value))).toEqual(
      [...y.data].map((_, at) => at % columns === 3 || at % columns === 5),
    );
    const rowMoments = team.tensor(rows, 3);
    team.run((k) => k.layerNorm(rows, EPSILON, x, scale, shift, rowMoments, y));
    expect([...y.data].map((value) => !Number.isFinite(value))).toEqual(
      [...y.data].map((_, at) => Math.floor(at / columns) === 2 || Math.floor(at / columns) === 4),
    );
  });
});
