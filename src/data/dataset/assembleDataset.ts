/** Puts the parts of a loaded dataset together, and gathers the warnings about it. */

import { type DataConfig, settingOf } from '../../spec/dataConfig.js';
import type { TrainConfig } from '../../spec/trainConfig.js';
import { lossNameOf } from '../../spec/words.js';
import { readingOf } from '../csv/dialect.js';
import { rowNamesNote } from '../csv/readingNotes.js';
import type { UnknownLevel } from '../encoding/categoryEncoding.js';
import { constantColumns, type FeatureEncoding, matrixColumns } from '../encoding/encoding.js';
import { MatrixRows } from '../featureMatrix.js';
import { type LocatedColumn, presentRows } from '../locatedColumn.js';
import { FileRows } from '../matrixFile.js';
import { missingValuesOf } from '../missingValues.js';
import { columnLabel, gather } from '../table.js';
import type { TableSource } from '../tableSource.js';
import { pointedClasses, pointWarning, rareWarnings } from './classTargets.js';
import { type Dataset, type DatasetMatrix, isInFile, type Split, type SplitName } from './dataset.js';
import {
  constantWarning,
  dateNotes,
  droppedWarning,
  foldWarning,
  identifierWarnings,
  longIntegerWarnings,
  sentinelWarnings,
  spellingWarnings,
  unknownClassWarning,
  unknownWarnings,
  untrainedWarning,
} from './dataWarnings.js';
import type { GivenEncodings } from './givenEncodings.js';
import type { Input, RowReader } from './rowReaders.js';
import { balancedWeights, splitWeights, zeroWeightNote } from './rowWeights.js';
import {
  labelWarnings,
  quantityWarnings,
  standardizeTargets,
  type TargetEncoding,
  type TargetValues,
  targetsOf,
} from './targets.js';
import { joinRanges, rangesOf, standardizesTarget, transformTargets } from './targetUnits.js';

/** The rows of a table with their targets. */
export interface InputRows {
  readonly input: Input;
  readonly reader: RowReader;
  readonly targets: TargetValues;
  /** By class, the rows of classes that the training table lacks. They are in no split. */
  readonly unknownClasses: ReadonlyMap<string, number>;
  /** [rows] By column or class; those of weight 0 are in no split. */
  readonly weights: Float64Array | undefined;
  /** [rows] The row of the matrix; −1 for none. */
  readonly place: Int32Array;
}

/** The rows of a split, in its order. `first` is its first row in the matrix. */
export interface SplitRows {
  readonly name: SplitName;
  readonly from: InputRows;
  readonly rows: Int32Array;
  readonly first: number;
}

export interface Filled {
  /** One for each feature column. */
  readonly encodings: readonly FeatureEncoding[];
  readonly matrix: DatasetMatrix;
  /** The levels that the encodings don't know, of each table. */
  readonly unknown: ReadonlyMap<InputRows, readonly UnknownLevel[]>;
}

/**
 * Puts together what was read, encoded, split and written. Targets of a regression are standardised in place.
 * @param given the encodings, if they were not fitted here
 */
export function assembleDataset(
  config: TrainConfig,
  targetEncoding: TargetEncoding,
  splits: readonly SplitRows[],
  { encodings, matrix, unknown }: Filled,
  given?: GivenEncodings,
): Dataset {
  const { task, classes, labels, reason } = targetEncoding;
  const [{ from: training }] = splits;
  const { table, choice } = training.input;
  const encoding = encodingOf(table);
  const numbers = numbersOf(training.input);
  const reading = readingOf(config.data);
  const targets = splits.map(({ from, rows }) => targetsOf(from.targets, rows));
  const trainLabels = targets[0].labels;
  const balanced =
    config.data.weights === 'balanced' && trainLabels && classes
      ? balancedWeights(classes.names.length, trainLabels)
      : undefined;
  const parts = splits.map((split, i): [SplitName, Split] => {
    const { name, from, rows, first } = split;
    const features = isInFile(matrix)
      ? new FileRows(matrix, first, rows.length)
      : new MatrixRows(matrix, first, rows.length);
    const { labels } = targets[i];
    const own = balanced && labels ? gather(balanced, labels) : from.weights && gather(from.weights, rows);
    const weights = own && splitWeights(own, name, from.input.table.path);
    const rowNumbers = rows.map((row) => from.reader.rowNumber(row));
    // They are transformed and scaled later.
    const rawTargets = isFold(config.data, name) && targets[i].targets?.slice();
    return [
      name,
      {
        rows: rows.length,
        features,
        ...targets[i],
        ...(weights && { weights }),
        rowNumbers,
        ...(rawTargets && { rawTargets }),
      },
    ];
  });
  const targetLabels = choice.targets.map((column) => columnLabel(table.header, table.names[column]));
  const rawTargets = task === 'regression' ? targets[0].targets : undefined;
  const labelTargets = labels && targets[0].targets;
  const ownRanges = rawTargets && rangesOf(rawTargets, choice.targets.length);
  const targetRanges = ownRanges && joinRanges(ownRanges, given?.predictionRanges);
  const { targetTransform } = config.data;
  if (targetTransform && rawTargets) {
    for (const { targets: own } of targets) if (own) transformTargets(own, targetTransform);
  }
  const isScaled = standardizesTarget(config);
  const quantities = rawTargets
    ? quantityWarnings(rawTargets, targetLabels, {
        path: table.path,
        isScaled: isScaled || lossNameOf(config.training.loss) === 'poisson',
      })
    : [];
  const targetStandardization =
    rawTargets && isScaled
      ? standardizeTargets(
          parts.map(([, part]) => part),
          training.input,
          given?.targetStandardization,
        )
      : undefined;
  const tableRows = training.reader.rows + training.reader.dropped;
  const dropsMissing = choice.features
    .map((column) => table.names[column])
    .filter((name) => settingOf(config.data.missing, name, 'error') === 'drop-row');
  const rejected = [...unknown.keys()].flatMap(({ input }) =>
    (input.table.rejected ?? []).filter(({ rows }) => rows > 0),
  );
  return {
    task,
    header: table.header,
    ...(encoding !== undefined && { encoding }),
    ...(numbers !== undefined && { numbers }),
    ...(reading && { reading }),
    ...(config.data.comment !== undefined && { comment: config.data.comment }),
    matrix,
    featureNames: matrixColumns(encodings),
    encodings,
    missingValues: missingValuesOf(config.data.missingValues),
    targetNames: choice.targets.map((column) => table.names[column]),
    ...(classes && { classes: classes.names }),
    ...(labels && { labelValues: labels.map(({ names }) => names) }),
    ...(targetEncoding.dropsRows && { dropsRows: true }),
    ...(dropsMissing.length > 0 && { dropsMissing }),
    ...(config.data.badRows === 'skip' && { skipsBadRows: true }),
    ...(rejected.length > 0 && { rejected }),
    ...(targetEncoding.rare?.as === 'other' && { rareClasses: targetEncoding.rare.names }),
    ...(Object.fromEntries(parts) as Record<SplitName, Split>),
    ...(targetRanges && { targetRanges }),
    ...(targetTransform && { targetTransform }),
    ...(targetStandardization && { targetStandardization }),
    ...(reason !== undefined && { taskReason: reason }),
    description: `${table.path}: ${tableRows} rows of ${table.names.length} columns, ${table.description}`,
    warnings: [
      ...quantities,
      ...(labelTargets ? labelWarnings(labelTargets, targetLabels, table.path) : []),
      ...rareWarnings(targetEncoding, targetLabels[0], table.path),
      ...(classes ? foldWarnings(config.data, splits, classes.names) : []),
      ...[...unknown].flatMap(([from, levels]) => [
        ...readingWarnings(from, targetEncoding, from === training),
        ...(from === training
          ? [
              ...rowWarnings(training.input, classes?.names, encodings, parts[0][1]),
              ...(given
                ? []
                : fittingWarnings(config.data, training.input, classes?.names, encodings, parts[0][1].rows)),
            ]
          : []),
        ...unknownWarnings(from.input.table.path, levels, given?.path),
        ...unknownClassWarning(from.input.table.path, from.unknownClasses, classes?.names ?? []),
      ]),
    ],
  };
}

function isFold(data: DataConfig, name: SplitName): boolean {
  const rule = name === 'train' ? undefined : data[name];
  return typeof rule === 'object' && 'fold' in rule;
}

/** Whether the validation rows are training rows, which members hold out. */
function isShared(splits: readonly SplitRows[]): boolean {
  return splits.some(({ name, first }) => name === 'validation' && first === 0);
}

/** A fold of the validation rows is one of those that are no test rows. */
function foldWarnings(
  { validation, test }: DataConfig,
  splits: readonly SplitRows[],
  classes: readonly string[],
) {
  const [{ from: training }] = splits;
  const ofTable = splits.filter(({ from }) => from === training);
  const labels = (names: readonly SplitName[]) =>
    ofTable.flatMap(({ name, from, rows }) =>
      names.includes(name) ? (targetsOf(from.targets, rows).labels ?? []) : [],
    );
  const { path } = training.input.table;
  return [
    ...foldWarning(path, test, classes, labels(['train', 'validation', 'test'])),
    ...foldWarning(path, validation, classes, labels(isShared(splits) ? ['train'] : ['train', 'validation'])),
  ];
}

/** What reading a table tells. */
function readingWarnings(
  { input, reader, weights }: InputRows,
  targetEncoding: TargetEncoding,
  isTraining: boolean,
): string[] {
  const { path, notes, rejected = [] } = input.table;
  const { classes } = targetEncoding;
  const points = classes && !isTraining ? pointedClasses(targetColumns(input, reader)[0], classes) : [];
  return [
    ...notes,
    ...reader.notes,
    ...rejected.flatMap((rows) => rows.warnings()),
    ...droppedWarning(path, reader.rows + reader.dropped, completeRows(input, reader, targetEncoding)),
    ...zeroWeightNote(path, weights),
    ...pointWarning(path, points),
  ];
}

/** What the training rows tell. */
function rowWarnings(
  { table, choice }: Input,
  classes: readonly string[] | undefined,
  encodings: readonly FeatureEncoding[],
  { features, labels }: Split,
): string[] {
  return [
    ...rowNamesNote(table.path, table.names, choice.rowNames),
    ...(classes && labels ? untrainedWarning(table.path, classes, labels) : []),
    ...longIntegerWarnings(table, choice.features, encodings),
    ...sentinelWarnings(table, choice.features, encodings, features),
  ];
}

/** What encodings tell that were fitted on the training rows. */
function fittingWarnings(
  data: DataConfig,
  { table, choice }: Input,
  classes: readonly string[] | undefined,
  encodings: readonly FeatureEncoding[],
  rows: number,
): string[] {
  return [
    ...spellingWarnings(table, choice, classes, encodings),
    ...dateNotes(table, choice.features, encodings, data),
    ...constantWarning(table, constantColumns(encodings)),
    ...identifierWarnings(table, table.sample, choice.features, encodings, rows),
  ];
}

/** How many rows have all cells that they need. */
function completeRows(input: Input, reader: RowReader, { dropsRows }: TargetEncoding): number {
  return dropsRows ? presentRows(targetColumns(input, reader)).length : reader.rows;
}

export function targetColumns({ choice }: Input, reader: RowReader): LocatedColumn[] {
  return choice.targets.map((column) => reader.located(column));
}

/** The notations of the columns that a model needs. */
function numbersOf({ table, choice }: Input): Dataset['numbers'] {
  const { notations } = (table.csv ?? table.firstFile)?.dialect ?? {};
  const needed = [...choice.features, ...choice.targets].flatMap((index) => {
    const notation = notations?.get(index);
    return notation ? [[table.names[index], notation] as const] : [];
  });
  return needed.length === 0 ? undefined : Object.fromEntries(needed);
}

/** UTF-16 is detected in any file. */
function encodingOf({ csv, firstFile }: TableSource): string | undefined {
  const { encoding } = (csv ?? firstFile)?.source ?? {};
  return encoding?.startsWith('utf-16') ? undefined : encoding;
}
