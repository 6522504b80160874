/** The rows of a fold, predicted by the network that has not seen them: scores, and lines of a CSV. */
import type { Split } from '../../data/dataset/dataset.js';
import { predictRows, rowsOfSplit, scoreRows } from '../../model/evaluatedRows.js';
import type { Model } from '../../model/load.js';
import { PredictorPool } from '../../model/pool/predictorPool.js';
import { csvLines } from '../../model/predictionLines.js';
import { type EvaluationReport, reportOf } from '../../model/scorer.js';

export interface FoldPredictions {
  /** [rows] The numbers of the rows in the file, from 1, rising. */
  readonly rowNumbers: Int32Array;
  /** [rows, width] Probabilities of the classes, or values, in the order of the model. */
  readonly numbers: Float64Array;
  /** [rows, decisions] The number of the class, or 0 or 1 for each label; empty for a regression. */
  readonly decided: Int32Array;
  /** [rows, targets] The number of the class, 0 or 1 for each label, or the value in the file. */
  readonly truth: Int32Array | Float64Array;
}

/** What a line needs of a model: not its weights. */
export type PredictingModel = Pick<Model, 'dtype' | 'classes' | 'labelValues' | 'targets' | 'lossParameters'>;

export interface ScoredFold {
  readonly report: EvaluationReport;
  readonly predictions: FoldPredictions;
  readonly model: PredictingModel;
}

/** Predicts the rows of a fold and scores them, as `mlp evaluate` does. */
export async function scoreFold(model: Model, split: Split): Promise<ScoredFold> {
  const { rows, weights, rowNumbers, rawTargets } = split;
  const evaluated = rowsOfSplit(split);
  // Other folds may be trained meanwhile.
  const predicted = await PredictorPool.use(model, {}, (pool) => predictRows(model, pool, evaluated));
  const numbers = predicted.predictions(rows);
  const decided = model.task === 'regression' ? new Int32Array() : predicted.labels(rows);
  const result = scoreRows(model, predicted, evaluated);
  const scored = { rows, weighted: weights !== undefined, result };
  const { dtype, classes, labelValues, lossParameters } = model;
  return {
    report: reportOf(model, scored),
    predictions: {
      rowNumbers,
      numbers,
      decided,
      truth: rawTargets ?? evaluated.expected,
    },
    model: {
      dtype,
      targets: model.targets,
      ...(classes && { classes }),
      ...(labelValues && { labelValues }),
      ...(lossParameters && { lossParameters }),
    },
  };
}

/** A fold whose rows are predicted. */
export interface PredictedFold {
  readonly fold: number;
  readonly repeat: number;
  readonly scored: ScoredFold;
}

/**
 * The lines of predictions.csv in the order of the file: the number of the row, the repeat and the
 * fold, the truth, and what `mlp predict` writes.
 * @param folds in the order of their repeats
 */
export function* predictionLines(folds: readonly PredictedFold[]): Generator<string> {
  const [{ scored: first }] = folds;
  const { classes, labelValues, targets } = first.model;
  const truths = targets.length === 1 ? ['truth'] : targets.map((name) => `truth_${name}`);
  const names = ['row', 'repeat', 'fold', ...truths];
  const kept = names.map((_, i) => i);
  const { head, row } = csvLines({ model: first.model, kept, names, delimiter: ',', guard: true });
  const truthText = (value: number, j: number) =>
    classes ? classes[value] : labelValues ? labelValues[j][value] : String(value);
  yield head;
  // Each fold has its rows in the order of the file: merge them.
  const next = folds.map(() => 0);
  for (;;) {
    let least = -1;
    folds.forEach(({ scored }, k) => {
      const { rowNumbers } = scored.predictions;
      if (next[k] === rowNumbers.length) return;
      const isLess =
        least < 0 || rowNumbers[next[k]] < folds[least].scored.predictions.rowNumbers[next[least]];
      if (isLess) least = k;
    });
    if (least < 0) return;
    const { fold, repeat, scored } = folds[least];
    const { rowNumbers, numbers, decided, truth } = scored.predictions;
    const at = next[least]++;
    const part = <Values extends { length: number; subarray(from: number, to: number): Values }>(
      values: Values,
    ) => {
      const width = values.length / rowNumbers.length;
      return values.subarray(at * width, (at + 1) * width);
    };
    const own = Array.from<number, string>(part(truth as Float64Array), truthText);
    const cells = [String(rowNumbers[at]), String(repeat), String(fold), ...own];
    yield row(cells, part(numbers), decided.length === 0 ? undefined : part(decided));
  }
}
