/**
 * The product x·W of a first layer whose one-hot columns are numbers of levels: W has the rows of the
 * dense form, and a level takes its row of W instead of a product by zeros and a one. Runs of the
 * other columns between the levels are multiplied as ever. Where scaling makes another number of the
 * one, the rows of W are summed first, and a few levels may have columns of their own.
 */
import { slice } from '../kernels/arena.js';
import type { IntVector, Kernels, LevelRows, Tensor } from '../kernels/kernels.js';
import type { LinearSpec } from '../spec/layerSpec.js';
import { intsOf } from './embedding.js';
import type { LayerContext, Parameter } from './layer.js';

/** Neighbouring columns that hold no levels, and their rows of W. */
interface Run {
  readonly columns: IntVector;
  readonly x: Tensor; // [B, n]
  readonly weight: Tensor; // [n, units]
  readonly dWeight: Tensor; // [n, units]
}

/** Columns of levels whose one is this number. */
interface Marked {
  readonly mark: number;
  readonly levels: LevelRows;
}

export class LevelProduct {
  readonly #kernels: Kernels;
  readonly #units: number;
  readonly #weight: Parameter;
  readonly #marked: readonly Marked[];
  readonly #runs: readonly Run[];
  readonly #noEnds: IntVector; // [1]
  readonly #none: IntVector; // [0]
  /** Where any mark is not 1. */
  readonly #sums: Tensor | null; // [B, units]

  constructor(spec: LinearSpec, weight: Parameter, { kernels, arena, capacity, inputs }: LayerContext) {
    const { units, marks = [] } = spec;
    this.#kernels = kernels;
    this.#units = units;
    this.#weight = weight;
    const { levels, runs } = placesOf(spec, inputs);
    this.#marked = [...new Set(levels.map((_, j) => marks[j] ?? 1))].map((mark) => {
      const own = levels.filter((_, j) => (marks[j] ?? 1) === mark);
      const ints = (key: keyof LevelPlace) =>
        intsOf(
          arena,
          own.map((place) => place[key]),
        );
      return { mark, levels: { columns: ints('column'), firsts: ints('first'), counts: ints('count') } };
    });
    this.#sums = marks.some((mark) => mark !== 1) ? arena.tensor(capacity, units) : null;
    this.#runs = runs.map(({ first, columns }) => ({
      columns: intsOf(arena, columns),
      x: arena.tensor(capacity, columns.length),
      weight: slice(weight.value, first * units, columns.length, units),
      dWeight: slice(weight.gradient, first * units, columns.length, units),
    }));
    this.#noEnds = intsOf(arena, [0]);
    this.#none = intsOf(arena, []);
  }

  /** z [B, units] ← x·W */
  forward(rows: number, x: Tensor, z: Tensor): void {
    const kernels = this.#kernels;
    this.#runs.forEach((run, i) => {
      // Without columns of levels, this copies the others.
      const others = { columns: this.#none, ends: this.#noEnds, others: run.columns };
      kernels.embedLevels(rows, others, x, run.weight, run.x);
      kernels.gemm('NN', rows, this.#units, run.x.columns, run.x, run.weight, i > 0 ? 1 : 0, z);
    });
    this.#marked.forEach(({ mark, levels }, i) => {
      const beta = this.#runs.length + i > 0 ? 1 : 0;
      if (mark === 1) kernels.sumLevels(rows, levels, x, this.#weight.value, beta, z);
      else {
        const sums = this.#sums as Tensor;
        kernels.sumLevels(rows, levels, x, this.#weight.value, 0, sums);
        if (beta === 0) kernels.copy(rows, sums, z);
        if (beta === 0) kernels.scale(rows * this.#units, mark, z);
        else kernels.addScaled(rows * this.#units, mark, sums, z);
      }
    });
  }

  /** dW ← xᵀ·dZ, of the x of the last `forward` */
  backward(rows: number, x: Tensor, dZ: Tensor): void {
    const kernels = this.#kernels;
    for (const { mark, levels } of this.#marked) {
      let d = dZ;
      if (mark !== 1) {
        d = this.#sums as Tensor;
        kernels.copy(rows, dZ, d);
        kernels.scale(rows * this.#units, mark, d);
      }
      kernels.sumLevelsBackward(rows, levels, x, d, this.#weight.gradient);
    }
    // Behind the levels, which write zeros where a level has a column of its own.
    for (const run of this.#runs) {
      kernels.gemm('TN', run.x.columns, this.#units, rows, run.x, dZ, 0, run.dWeight);
    }
  }
}

/** A column of levels: its rows of W begin with `first`. */
interface LevelPlace {
  readonly column: number;
  readonly first: number;
  readonly count: number;
}

/** Which columns hold levels, and the runs of the others, with the first row of W of each. */
function placesOf({ columns = [], levels: counts = [], apart = [] }: LinearSpec, inputs: number) {
  const numberOf = new Map(columns.map((column, j) => [column, j]));
  const levels: LevelPlace[] = [];
  const runs: { first: number; columns: number[] }[] = [];
  let row = 0;
  for (let column = 0; column < inputs; column++, row++) {
    const j = numberOf.get(column);
    const run = runs.at(-1);
    if (j !== undefined) {
      levels.push({ column, first: row, count: counts[j] });
      for (const level of apart[j] ?? []) runs.push({ first: row + level - 1, columns: [++column] });
      row += counts[j] - 1;
    } else if (run && run.first + run.columns.length === row && run.columns.at(-1) === column - 1) {
      run.columns.push(column);
    } else runs.push({ first: row, columns: [column] });
  }
  return { levels, runs };
}
