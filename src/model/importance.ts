/**
 * Permutation importance (Breiman 2001; Fisher, Rudin and Dominici 2019): how much the loss grows when
 * the cells of a column are shuffled among the rows. All inputs that come from a column are shuffled
 * together, so a category is one column, however many inputs it has.
 */
import { constantColumns, encodingWidth } from '../data/encoding/encoding.js';
import { rowsIn } from '../data/featureMatrix.js';
import { RandomState } from '../random/randomState.js';
import { type EvaluatedRows, everyNth, meanLoss } from './evaluatedRows.js';
import type { Model } from './load.js';
import type { PredictorPool } from './pool/predictorPool.js';
import { costOfRow } from './pool/sharedNetwork.js';

export interface ColumnImportance {
  readonly column: string;
  /** Its number among the features of the model. */
  readonly place: number;
  /** How much the loss grows on average, and the sample deviation over the repeats; 0 for one repeat. */
  readonly mean: number;
  readonly deviation: number;
}

export interface Importance {
  /** Of the rows as they are. */
  readonly loss: number;
  readonly rows: number;
  readonly repeats: number;
  /** In the order of the columns. Those of a single value are left out. */
  readonly columns: readonly ColumnImportance[];
}

/** Fewer rows say too little. */
const LEAST_ROWS = 100;

export interface ImportanceOptions {
  readonly seed: number;
  readonly repeats: number;
  /** The most multiply-adds of the network: rows are sampled to stay below. */
  readonly most: number;
}

/**
 * @returns undefined if even a sample of 100 rows takes more than `most` multiply-adds, or nothing can
 * be shuffled
 */
export async function permutationImportance(
  model: Model,
  pool: PredictorPool,
  all: EvaluatedRows,
  { seed, repeats, most }: ImportanceOptions,
): Promise<Importance | undefined> {
  const groups = columnGroups(model);
  const passes = 1 + groups.length * repeats;
  const affordable = Math.floor(most / (costOfRow(model) * passes));
  if (groups.length === 0 || all.rows < 2 || affordable < Math.min(LEAST_ROWS, all.rows)) return undefined;
  const sample = everyNth(all, Math.min(all.rows, affordable));
  const { rows } = sample;
  const features = sample.features.read(0, rows);
  const inputs = features.length / rows;
  const scratch = features.slice();
  const lossOf = () => meanLoss(model, pool, sample, rowsIn(scratch, inputs));
  const loss = await lossOf();
  // A stream for each column: more columns, or more repeats of one, change no other.
  const columns: ColumnImportance[] = [];
  for (const { column, place, first, width } of groups) {
    const random = new RandomState((seed + place) % 2 ** 32);
    const grown: number[] = [];
    for (let repeat = 0; repeat < repeats; repeat++) {
      const order = random.permutation(rows);
      for (let row = 0; row < rows; row++) {
        const from = order[row] * inputs + first;
        scratch.set(features.subarray(from, from + width), row * inputs + first);
      }
      grown.push((await lossOf()) - loss);
    }
    for (let at = first; at < scratch.length; at += inputs) {
      scratch.set(features.subarray(at, at + width), at);
    }
    const mean = grown.reduce((sum, value) => sum + value, 0) / repeats;
    const squares = grown.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    columns.push({ column, place, mean, deviation: repeats > 1 ? Math.sqrt(squares / (repeats - 1)) : 0 });
  }
  return { loss, rows, repeats, columns };
}

/** Where the inputs of each column are. */
function columnGroups({ features }: Model) {
  const constant = new Set(constantColumns(features));
  let first = 0;
  return (
    features
      .map((encoding, place) => {
        const group = { column: encoding.column, place, first, width: encodingWidth(encoding) };
        first += group.width;
        return group;
      })
      // A column of a single value is no input, or one that no shuffling changes.
      .filter(({ column, width }) => width > 0 && !constant.has(column))
  );
}
