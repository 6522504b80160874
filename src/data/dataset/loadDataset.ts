/**
 * From the files of a config to a dataset: they are opened and understood, their rows parted into sides, the encodings fitted on the
 * training rows, and all rows written into one matrix.
 */
import { availableParallelism } from 'node:os';
import { ExitCode, MlpError } from '../../errors.js';
import { weightColumn } from '../../spec/columnSettings.js';
import type { TrainConfig } from '../../spec/train.js';
import { describeDialect, readBeginning } from '../dialect/dialect.js';
import { matrixColumns } from '../encode/encoding.js';
import { openSource, sourcePath } from '../source/source.js';
import {
  type ColumnChoice,
  chooseColumns,
  matchColumns,
  type NamedColumns,
  wantedHeader,
} from './columns.js';
import type { Dataset, Split } from './dataset.js';
import { firstRows } from './field.js';
import {
  constantWarning,
  droppedWarning,
  identifierWarnings,
  unknownWarnings,
  untrainedWarning,
} from './findings.js';
import { createFeatureMatrix, type FeatureMatrix, matrixOf } from './matrix.js';
import {
  type Part,
  partOf,
  type Side,
  type SideName,
  standardizeTargets,
  targetFields,
  targetsOf,
} from './parts.js';
import { type Csv, type Fitted, PlainRows, type ReadRowsOptions, type RowReader, TableRows } from './rows.js';
import { splitRows } from './sides.js';
import { type Meaning, understandTargets } from './target.js';
import { classWeights, weightsOf } from './weights.js';

export interface LoadOptions {
  /** Threads that may read; as many as the machine has if left out. */
  readonly threads?: number;
  /** Called now and then with the bytes read of all that are to be read. */
  readonly progress?: (file: string, doneBytes: number, totalBytes: number | undefined) => void;
}

/**
 * Reads and splits the data of a train config; paths in it are relative to `directory`. `configPath` is for messages.
 * An MlpError where a file can't be read (66, 74, 77), holds what can't be trusted (65), or does not have what the config asks for (78).
 */
export async function loadDataset(
  config: TrainConfig,
  directory: string,
  configPath?: string,
  options: LoadOptions = {},
): Promise<Dataset> {
  const loader = new Loader(config, directory, configPath === undefined ? '' : `${configPath}: `, options);
  try {
    return await loader.load();
  } finally {
    await loader.close();
  }
}

/** A float64 beyond this is rounded to infinity in float32. */
const LARGEST_FLOAT32 = 3.4028235677973362e38;

/** One of the two ways to read a file's rows; undefined where the file is not for it. */
type ReadRows = (csv: Csv, options: ReadRowsOptions) => Promise<RowReader | undefined>;

class Loader {
  private readonly open: { close(): void | Promise<void> }[] = [];

  constructor(
    private readonly config: TrainConfig,
    private readonly directory: string,
    private readonly place: string,
    private readonly options: LoadOptions,
  ) {}

  async load(): Promise<Dataset> {
    const { data } = this.config;
    const training = await this.openCsv(data.train, wantedHeader(data, this.place), (file) =>
      chooseColumns(file, data, this.place),
    );
    const origin = { ...namesOf(training), choice: training.choice };
    const heldOut = new Map<SideName, Csv>();
    for (const name of ['validation', 'test'] as const) {
      const path = data[name];
      if (typeof path !== 'string') continue;
      heldOut.set(name, await this.openCsv(path, origin.header, (file) => matchColumns(file, origin)));
    }
    const dataset =
      (await this.assemble(training, heldOut, PlainRows.scan)) ??
      (await this.assemble(training, heldOut, TableRows.read));
    if (dataset === undefined) throw new TypeError('a table is never declined');
    return dataset;
  }

  /** Ends what was begun: files, threads. */
  async close(): Promise<void> {
    for (const resource of this.open.splice(0)) await resource.close();
  }

  private async openCsv(
    path: string,
    header: 'auto' | boolean,
    choose: (file: NamedColumns) => ColumnChoice,
  ): Promise<Csv> {
    const { delimiter, comment } = this.config.data;
    const { progress } = this.options;
    const source = await openSource(
      sourcePath(path, this.directory),
      progress && ((done, total) => progress(path, done, total)),
    );
    this.open.push(source);
    const beginning = await readBeginning(source, {
      delimiter,
      header,
      ...(comment !== undefined && { comment }),
    });
    return { source, beginning, choice: choose({ path: source.name, ...beginning }) };
  }

  /** The dataset, its files read by `read`; undefined where one of them can't be read in that way. */
  private async assemble(
    training: Csv,
    heldOut: ReadonlyMap<SideName, Csv>,
    read: ReadRows,
  ): Promise<Dataset | undefined> {
    const { config, place } = this;
    const { data, dtype } = config;
    const reader = await this.read(training, read);
    if (reader === undefined) return undefined;
    const meaning = understandTargets(targetFields(training, reader), data.task, place);
    const classes = meaning.classes?.names;
    const sides = await this.partRows(training, reader, meaning, heldOut, read);
    const train = sides?.get('train');
    if (sides === undefined || train === undefined) return undefined;

    const rows = [...sides.values()].reduce((sum, side) => sum + side.rows.length, 0);
    const matrices: FeatureMatrix[] = [];
    const fitted = await reader.fit({ place: train.part.place, train: train.rows }, (columns) => {
      matrices[0] = createFeatureMatrix(dtype, rows, columns);
      return matrixOf(matrices[0]);
    });
    if (fitted === undefined) return undefined;
    const { encodings } = fitted;
    const [matrix] = matrices;
    const targets = new Map(
      [...sides].map(([name, side]) => [name, targetsOf(side.part.targets, side.rows)]),
    );
    const trainLabels = targets.get('train')?.labels;
    const untrained =
      classes && trainLabels ? untrainedWarning(training.source.name, classes, trainLabels) : [];
    const warnings = trainingWarnings(training, reader, fitted, train.rows.length, untrained);
    for (const { csv, reader, place } of new Set([...sides.values()].map((side) => side.part))) {
      if (csv === training) continue;
      const unknown = await reader.write(encodings, place, matrixOf(matrix));
      if (unknown === undefined) return undefined;
      const { name } = csv.source;
      warnings.push(...droppedWarning(name, reader.dropped, reader.rows), ...unknownWarnings(name, unknown));
    }

    const { columns } = matrix.features;
    const weigh = this.weighing(classes, trainLabels);
    const splits = [...sides].map(([name, side]) => {
      const { rows, first } = side;
      const features = matrix.features.data.subarray(first * columns, (first + rows.length) * columns);
      const chosen = targets.get(name);
      const weights = weigh?.(side, chosen?.labels);
      return [name, { rows: rows.length, features, ...chosen, ...(weights && { weights }) }] as const;
    });
    const split = Object.fromEntries(splits) as Record<SideName, Split>;
    const targetStandardization =
      data.standardizeTarget && meaning.task === 'regression'
        ? standardizeTargets(Object.values(split), training)
        : undefined;
    const { beginning, choice, source } = training;
    return {
      task: meaning.task,
      header: beginning.header,
      ...matrix,
      featureNames: matrixColumns(encodings),
      encodings,
      targetNames: choice.targets.map((column) => beginning.names[column]),
      ...(classes && { classes }),
      ...split,
      ...(targetStandardization && { targetStandardization }),
      description:
        `${source.name}: ${reader.rows + reader.dropped} rows of ${beginning.names.length} columns, ` +
        describeDialect(beginning),
      warnings,
    };
  }

  /** The sides that have rows, in the order of the matrix; undefined where a file of theirs can't be read by `read`. */
  private async partRows(
    training: Csv,
    reader: RowReader,
    meaning: Meaning,
    heldOut: ReadonlyMap<SideName, Csv>,
    read: ReadRows,
  ): Promise<Map<SideName, Side> | undefined> {
    const { data, dtype, seed } = this.config;
    const largest = dtype === 'float32' && !data.standardizeTarget ? LARGEST_FLOAT32 : Number.MAX_VALUE;
    const part = partOf(training, reader, meaning, largest);
    const { classes } = meaning;
    const { train, ...taken } = splitRows({
      validation: data.validation,
      test: data.test,
      fields: heldOutFields(training, reader),
      rows: reader.rows,
      ...(classes && 'labels' in part.targets && { classes: { ...part.targets, names: classes.names } }),
      seed,
      path: training.source.name,
    });

    const sides = new Map<SideName, Side>();
    let first = 0;
    const add = (name: SideName, part: Part, rows: Int32Array) => {
      if (rows.length === 0) return;
      sides.set(name, { part, rows, first });
      for (let i = 0; i < rows.length; i++) part.place[rows[i]] = first + i;
      first += rows.length;
    };
    add('train', part, train);
    for (const name of ['validation', 'test'] as const) {
      const csv = heldOut.get(name);
      const other = csv && (await this.read(csv, read, reader));
      if (csv === undefined) add(name, part, taken[name]);
      else if (other === undefined) return undefined;
      else add(name, partOf(csv, other, meaning, largest), firstRows(other.rows));
    }
    return sides;
  }

  private async read(csv: Csv, read: ReadRows, training?: RowReader): Promise<RowReader | undefined> {
    const { threads = availableParallelism(), progress } = this.options;
    const { name } = csv.source;
    const reader = await read(csv, {
      data: this.config.data,
      threads,
      ...(training && { training }),
      ...(progress && { progress: (done, total) => progress(name, done, total) }),
    });
    if (reader) this.open.push(reader);
    return reader;
  }

  /** What gives the weights of a side, whose classes are `labels`; undefined where all rows count the same. */
  private weighing(classes: readonly string[] | undefined, trainLabels: Int32Array | undefined) {
    const { weights } = this.config.data;
    if (weights === undefined) return undefined;
    if (weightColumn(weights) !== undefined) {
      return ({ part: { csv, reader }, rows }: Side) =>
        weightsOf(reader.field(csv.choice.weights as number), rows);
    }
    if (classes === undefined || trainLabels === undefined) {
      throw new MlpError(
        ExitCode.config,
        `${this.place}data.weights: found weights by class for a regression, expected a column: {"column": "…"}`,
      );
    }
    const ofClass = classWeights(weights, classes, trainLabels, this.place);
    return (_side: Side, labels: Int32Array = new Int32Array()) =>
      Float64Array.from(labels, (label) => ofClass[label]);
  }
}

function trainingWarnings(
  training: Csv,
  { dropped, rows }: RowReader,
  { encodings, constant, unknown }: Fitted,
  trainRows: number,
  untrained: readonly string[],
): string[] {
  const file = namesOf(training);
  const { beginning, choice } = training;
  return [
    ...droppedWarning(file.path, dropped, rows),
    ...untrained,
    ...constantWarning(file, constant),
    ...identifierWarnings(file, beginning.sample, choice.features, encodings, trainRows),
    ...unknownWarnings(file.path, unknown),
  ];
}

function namesOf({ source, beginning }: Csv): NamedColumns {
  return { path: source.name, header: beginning.header, names: beginning.names };
}

function heldOutFields({ choice: { validation, test } }: Csv, reader: RowReader) {
  return {
    ...(validation !== undefined && { validation: reader.field(validation) }),
    ...(test !== undefined && { test: reader.field(test) }),
  };
}
