/**
 * The product x·W of a first layer whose one-hot columns are numbers of levels: W has the rows of the
 * dense form, and a level takes its row of W instead of a product by zeros and a one. Runs of the
 * other columns between the levels are multiplied as ever.
 */
import { slice } from '../kernels/arena.js';
import type { IntVector, Kernels, LevelRows, Tensor } from '../kernels/kernels.js';
import type { LinearSpec } from '../spec/layerSpec.js';
import { allOf, intsOf } from './embedding.js';
import type { LayerContext, Parameter } from './layer.js';

/** Neighbouring columns that hold no levels, and their rows of W. */
interface Run {
  readonly columns: IntVector;
  readonly x: Tensor; // [B, n]
  readonly weight: Tensor; // [n, units]
  readonly dWeight: Tensor; // [n, units]
}

export class LevelProduct {
  readonly #kernels: Kernels;
  readonly #units: number;
  readonly #weight: Parameter;
  readonly #levels: LevelRows;
  readonly #runs: readonly Run[];
  readonly #noEnds: IntVector; // [1]
  readonly #none: IntVector; // [0]

  constructor(
    { units, columns = [], levels = [] }: LinearSpec,
    weight: Parameter,
    { kernels, arena, capacity, inputs }: LayerContext,
  ) {
    this.#kernels = kernels;
    this.#units = units;
    this.#weight = weight;
    const levelsAt = new Map(columns.map((column, j) => [column, levels[j]]));
    const firsts = new Map<number, number>();
    const runs: { first: number; columns: number[] }[] = [];
    let row = 0;
    for (const column of allOf(inputs)) {
      const count = levelsAt.get(column);
      if (count !== undefined) firsts.set(column, row);
      else if (column === 0 || levelsAt.has(column - 1)) runs.push({ first: row, columns: [column] });
      else runs[runs.length - 1].columns.push(column);
      row += count ?? 1;
    }
    this.#levels = {
      columns: intsOf(arena, columns),
      firsts: intsOf(
        arena,
        columns.map((column) => firsts.get(column) ?? 0),
      ),
      counts: intsOf(arena, levels),
    };
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
    this.#runs.forEach((run, i) => {
      // Without columns of levels, this copies the others.
      const others = { columns: this.#none, ends: this.#noEnds, others: run.columns };
      this.#kernels.embedLevels(rows, others, x, run.weight, run.x);
      this.#kernels.gemm('NN', rows, this.#units, run.x.columns, run.x, run.weight, i > 0 ? 1 : 0, z);
    });
    const beta = this.#runs.length > 0 ? 1 : 0;
    this.#kernels.sumLevels(rows, this.#levels, x, this.#weight.value, beta, z);
  }

  /** dW ← xᵀ·dZ, of the x of the last `forward` */
  backward(rows: number, x: Tensor, dZ: Tensor): void {
    for (const run of this.#runs) {
      this.#kernels.gemm('TN', run.x.columns, this.#units, rows, run.x, dZ, 0, run.dWeight);
    }
    this.#kernels.sumLevelsBackward(rows, this.#levels, x, dZ, this.#weight.gradient);
  }
}
