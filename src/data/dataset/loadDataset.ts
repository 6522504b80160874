/**
 * From the files of a config to a dataset: they are opened and understood, their rows parted into sides, the encodings fitted on the
 * training rows, and all rows written into one matrix.
 */
import { availableParallelism } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { ExitCode, MlpError } from '../../errors.js';
import { weightColumn } from '../../spec/columnSettings.js';
import type { TrainConfig } from '../../spec/train.js';
import { describeDialect, readBeginning } from '../dialect/dialect.js';
import { matrixColumns } from '../encode/encoding.js';
import { openSource } from '../source/source.js';
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
import { type Csv, PlainRows, type ReadRowsOptions, type RowReader, TableRows } from './rows.js';
import { splitRows } from './sides.js';
import { understandTargets } from './target.js';
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
    for (const { source } of [training, ...heldOut.values()]) source.requireUnchanged();
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
    const resolved = path === '-' || isAbsolute(path) ? path : join(this.directory, path);
    const source = await openSource(resolved, progress && ((done, total) => progress(path, done, total)));
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
    read: (csv: Csv, options: ReadRowsOptions) => Promise<RowReader | undefined>,
  ): Promise<Dataset | undefined> {
    const { config, place } = this;
    const { data, dtype, seed } = config;
    const reader = await this.read(training, read);
    if (reader === undefined) return undefined;
    const meaning = understandTargets(targetFields(training, reader), data.task, place);
    const largest = dtype === 'float32' && !data.standardizeTarget ? LARGEST_FLOAT32 : Number.MAX_VALUE;
    const classes = meaning.classes?.names;
    const part = partOf(training, reader, meaning, largest);
    const labels = 'labels' in part.targets ? part.targets.labels : undefined;
    const { train, ...taken } = splitRows({
      validation: data.validation,
      test: data.test,
      fields: heldOutFields(training, reader),
      rows: reader.rows,
      ...(classes && labels && { classes: { labels, names: classes } }),
      seed,
      path: training.source.name,
    });

    let rows = 0;
    const sides = new Map<SideName, Side>();
    const add = (name: SideName, part: Part, order: Int32Array) => {
      if (order.length === 0) return;
      sides.set(name, { part, rows: order, first: rows });
      for (let i = 0; i < order.length; i++) part.place[order[i]] = rows + i;
      rows += order.length;
    };
    add('train', part, train);
    for (const name of ['validation', 'test'] as const) {
      const csv = heldOut.get(name);
      const other = csv && (await this.read(csv, read, reader));
      if (csv === undefined) add(name, part, taken[name]);
      else if (other === undefined) return undefined;
      else add(name, partOf(csv, other, meaning, largest), firstRows(other.rows));
    }

    const matrices: FeatureMatrix[] = [];
    const fitted = await reader.fit({ place: part.place, train }, (columns) => {
      matrices[0] = createFeatureMatrix(dtype, rows, columns);
      return matrixOf(matrices[0]);
    });
    if (fitted === undefined) return undefined;
    const { encodings } = fitted;
    const [matrix] = matrices;
    const file = namesOf(training);
    const warnings = [
      ...droppedWarning(file.path, reader.dropped, reader.rows),
      ...(classes && labels
        ? untrainedWarning(
            file.path,
            classes,
            train.map((row) => labels[row]),
          )
        : []),
      ...constantWarning(file, fitted.constant),
      ...identifierWarnings(
        file,
        training.beginning.sample,
        training.choice.features,
        encodings,
        train.length,
      ),
      ...unknownWarnings(file.path, fitted.unknown),
    ];
    for (const { csv, reader, place } of new Set([...sides.values()].map((side) => side.part))) {
      if (csv === training) continue;
      const unknown = await reader.write(encodings, place, matrixOf(matrix));
      if (unknown === undefined) return undefined;
      const { name } = csv.source;
      warnings.push(...droppedWarning(name, reader.dropped, reader.rows), ...unknownWarnings(name, unknown));
    }

    const { columns } = matrix.features;
    const weighOf = this.weighing(sides, classes);
    const splits = [...sides].map(([name, side]) => {
      const { part, rows, first } = side;
      const features = matrix.features.data.subarray(first * columns, (first + rows.length) * columns);
      const weights = weighOf?.(side);
      return [
        name,
        { rows: rows.length, features, ...targetsOf(part.targets, rows), ...(weights && { weights }) },
      ] as const;
    });
    const split = Object.fromEntries(splits) as Record<SideName, Split>;
    const targetStandardization =
      data.standardizeTarget && meaning.task === 'regression'
        ? standardizeTargets(Object.values(split), training)
        : undefined;
    const { beginning, choice } = training;
    return {
      task: meaning.task,
      ...matrix,
      featureNames: matrixColumns(encodings),
      encodings,
      targetNames: choice.targets.map((column) => beginning.names[column]),
      ...(classes && { classes }),
      ...split,
      ...(targetStandardization && { targetStandardization }),
      description:
        `${file.path}: ${reader.rows + reader.dropped} rows of ${beginning.names.length} columns, ` +
        describeDialect(beginning),
      warnings,
    };
  }

  private async read(
    csv: Csv,
    read: (csv: Csv, options: ReadRowsOptions) => Promise<RowReader | undefined>,
    training?: RowReader,
  ): Promise<RowReader | undefined> {
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

  /** What gives the weights of a side; undefined where all rows count the same. */
  private weighing(sides: ReadonlyMap<SideName, Side>, classes: readonly string[] | undefined) {
    const { weights } = this.config.data;
    if (weights === undefined) return undefined;
    if (weightColumn(weights) !== undefined) {
      return ({ part: { csv, reader }, rows }: Side) =>
        weightsOf(reader.field(csv.choice.weights as number), rows);
    }
    const train = sides.get('train');
    if (classes === undefined || train === undefined || !('labels' in train.part.targets)) {
      throw new MlpError(
        ExitCode.config,
        `${this.place}data.weights: found weights by class for a regression, expected a column: {"column": "…"}`,
      );
    }
    const { labels } = train.part.targets;
    const ofClass = classWeights(
      weights,
      classes,
      train.rows.map((row) => labels[row]),
      this.place,
    );
    return ({ part: { targets }, rows }: Side) =>
      Float64Array.from(rows, (row) => ('labels' in targets ? ofClass[targets.labels[row]] : 1));
  }
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
