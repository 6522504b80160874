/** `loadModel`: a trained network that predicts rows in memory. */
import type { MatrixData, MemoryData, RowData } from '../data/memory.js';
import { ExitCode, MlpError } from '../errors.js';
import { writeFileAtomically } from '../files/atomic.js';
import { type LoadedEnsemble, openModel } from '../model/ensembleFile.js';
import { encodeLoaded, type Model as ModelFile } from '../model/load.js';
import { PredictorPool } from '../model/pool/predictorPool.js';
import { middleOf } from '../model/predictions.js';
import { modelRowsInMemory } from '../model/rows.js';
import { createScorer, type EvaluationReport, expectedValues, reportOf } from '../model/scorer.js';
import type { LossName, Task } from '../spec/words.js';
import { tableOf } from './config.js';

/** Cells by column name, or a matrix [rows][columns] in the model's order (flat: row-major) */
export type Rows = RowData['rows'] | MatrixData['x'];

export interface Prediction {
  /** The class; the value of the target; or the values of several targets, or labels, by name. */
  readonly prediction: string | number | Readonly<Record<string, number>> | Readonly<Record<string, string>>;
  /** The probability of each class, or of yes for each label, by its name; not for a regression. */
  readonly probabilities?: Readonly<Record<string, number>>;
  /** By quantile; only for the loss quantile, whose `prediction` is the one nearest to the median. */
  readonly quantiles?: Readonly<Record<string, number>>;
}

/**
 * Loads a model file, the model of a run, or an ensemble. A file from anywhere is safe: everything is checked.
 *
 *     const model = await loadModel('iris.safetensors');
 *     const [first] = await model.predict([{ 'sepal length (cm)': 5.1, … }]);
 *     first.prediction; // 'setosa'
 *
 * @throws MlpError ExitCode.noInput without a model, data if it is damaged, noPermission or io
 */
export async function loadModel(path: string): Promise<Model> {
  return new Model(openModel(path));
}

/** A trained network, with all that it needs to read raw rows. */
export class Model {
  readonly task: Task;
  readonly loss: LossName;
  /** The columns that it needs. */
  readonly features: readonly string[];
  readonly targets: readonly string[];
  /** The classes; only for a binary or multiclass task. */
  readonly classes?: readonly string[];
  /** The values of each target, the second for yes; only for a multilabel task. */
  readonly labelValues?: readonly (readonly string[])[];
  /** Sentences about the file, such as that an earlier version wrote it without a checksum. */
  readonly notes: readonly string[];
  readonly #file: ModelFile | LoadedEnsemble;
  #inference: PredictorPool | undefined;
  /** Calls share the inference's memory, so each waits for those before it. */
  #queue: Promise<unknown> = Promise.resolve();

  /** @internal */
  constructor(file: ModelFile | LoadedEnsemble) {
    this.#file = file;
    this.task = file.task;
    this.loss = file.loss;
    this.features = file.features.map(({ column }) => column);
    this.targets = file.targets;
    this.notes = file.notes ?? [];
    if (file.classes) this.classes = file.classes;
    if (file.labelValues) this.labelValues = file.labelValues;
  }

  /**
   * Predicts each row; its bits depend neither on the other rows nor on the machine.
   * @throws MlpError ExitCode.data for a missing column or bad cell, such as `data.rows[3].age`
   */
  async predict(rows: Rows): Promise<Prediction[]> {
    if (rows.length === 0) return [];
    return this.#exclusively(async (inference) => {
      const source = modelRowsInMemory(this.#table(rows), this.#file, false);
      const predictions: Prediction[] = [];
      for await (const chunk of source.chunks(inference)) {
        const numbers = inference.predictions(chunk.rows);
        const labels = this.task === 'regression' ? new Int32Array(0) : inference.labels(chunk.rows);
        const decisions = labels.length / chunk.rows;
        for (let row = 0; row < chunk.rows; row++) {
          const own = numbers.subarray(row * inference.width, (row + 1) * inference.width);
          predictions.push(this.#prediction(own, labels.subarray(row * decisions, (row + 1) * decisions)));
        }
      }
      return predictions;
    });
  }

  /**
   * Scores rows with known targets, as `mlp evaluate --json`.
   * @param rows objects that also have the target column, or `{ x, y }`
   * @throws MlpError ExitCode.data as `predict`, and for a missing target
   */
  async evaluate(
    rows: RowData['rows'] | RowData | Required<Pick<MatrixData, 'x' | 'y'>>,
  ): Promise<EvaluationReport> {
    const table = 'rows' in rows || 'x' in rows ? tableOf({ ...rows }, 'data') : this.#table(rows);
    return this.#exclusively(async (inference) => {
      const source = modelRowsInMemory(this.#named(table), this.#file, true);
      const scorer = createScorer(this.#file, inference);
      for await (const chunk of source.chunks(inference)) {
        scorer.add(chunk.rows, chunk.logits, expectedValues(chunk.targets, this.#file));
      }
      return reportOf(this.#file, { rows: scorer.rows, weighted: false, result: scorer.result() });
    });
  }

  /**
   * Writes the model file. An existing file is replaced.
   * @throws MlpError ExitCode.cantCreate, noPermission or io if it can't be written; usage for an ensemble,
   * which is a directory
   */
  async save(path: string): Promise<void> {
    if ('members' in this.#file) {
      throw new MlpError(
        ExitCode.usage,
        `${this.#file.path}: found an ensemble, expected a single model to save`,
        'copy its directory',
      );
    }
    const { header, parts } = encodeLoaded(this.#file);
    await writeFileAtomically(path, [header, ...parts]);
  }

  #prediction(numbers: Float64Array, decided: Int32Array): Prediction {
    const names = this.classes ?? this.targets;
    const byName = () => Object.fromEntries(names.map((name, i) => [name, numbers[i]]));
    if (this.classes) return { prediction: this.classes[decided[0]], probabilities: byName() };
    if (this.labelValues) {
      const values = this.labelValues.map((pair, i) => [names[i], pair[decided[i]]]);
      return { prediction: Object.fromEntries(values), probabilities: byName() };
    }
    const { quantiles } = this.#file.lossParameters ?? {};
    if (quantiles) {
      const values = quantiles.map((quantile, i) => [String(quantile), numbers[i]]);
      return { prediction: numbers[middleOf({ quantiles })], quantiles: Object.fromEntries(values) };
    }
    return { prediction: names.length === 1 ? numbers[0] : byName() };
  }

  /** Rows as a table: arrays are rows of a matrix, objects are rows by column name. */
  #table(rows: Rows): MemoryData {
    const [first] = rows as ArrayLike<unknown>[];
    const isMatrix = typeof first === 'number' || Array.isArray(first) || ArrayBuffer.isView(first);
    return isMatrix ? this.#named({ x: rows as MatrixData['x'] }) : tableOf({ rows }, 'data');
  }

  /** A matrix with the names of its columns: the model's features, in their order. */
  #named(table: MemoryData): MemoryData {
    if ('rows' in table || table.columns) return table;
    const { x } = table;
    const width = this.features.length;
    const isFlat = !Array.isArray(x);
    const found = isFlat ? x.length : (x[0]?.length ?? 0);
    if (isFlat ? found % width === 0 : found === width) return { ...table, columns: this.features };
    throw new MlpError(
      ExitCode.data,
      isFlat
        ? `data.x: found ${found} numbers, expected a multiple of ${width}, the number of features`
        : `data.x[0]: found ${found} numbers, expected ${width}, one for each feature`,
      `the features are ${this.features.join(', ')}`,
    );
  }

  #exclusively<Result>(use: (inference: PredictorPool) => Promise<Result>): Promise<Result> {
    this.#inference ??= PredictorPool.create(this.#file);
    const inference = this.#inference;
    const result = this.#queue.then(() => use(inference));
    this.#queue = result.catch(() => undefined);
    return result;
  }
}
