/** All that a page tells of a run: from the files in its directory, its model, and its data. */
import { basename, dirname, isAbsolute, join, resolve, sep } from 'node:path';
import { type Dataset, foldsOf, type SplitName } from '../data/dataset/dataset.js';
import { matrixWidth } from '../data/encoding/encoding.js';
import { sourcePath } from '../data/source/source.js';
import { MlpError } from '../errors.js';
import { RUN_FILES, statOf } from '../files/runFiles.js';
import { permutationImportance } from '../model/importance.js';
import type { Model } from '../model/load.js';
import { PredictorPool } from '../model/pool/predictorPool.js';
import { costOfRow } from '../model/pool/sharedNetwork.js';
import type { RunFacts, RunResults } from '../report/html/results.js';
import { isObject } from '../spec/json.js';
import { type LoadedTrainConfig, loadTrainConfig } from '../spec/loadConfig.js';
import { precisionOf } from '../spec/words.js';
import { counted, formatCount, formatDuration, formatRate, listed } from '../text.js';
import { readSummary } from '../training/run/summary.js';
import { dataResults } from './data.js';
import { evaluateSplit } from './evaluation.js';
import { imageOf } from './image.js';
import { readEpochs, readLayers, readSteps } from './logs.js';
import { networkResults } from './network.js';

/** How much may be computed for a page. */
export interface Effort {
  /** Multiply-adds of the network, for the evaluation of rows and again for the importance. */
  readonly multiplyAdds: number;
  /** Rows to evaluate. */
  readonly rows: number;
  /** Cells of the data to look at. */
  readonly cells: number;
  /** Of a file of steps, in bytes. */
  readonly stepBytes: number;
}

/** At the end of a training: a tenth of a second. */
export const QUICK: Effort = {
  multiplyAdds: 3e8,
  rows: 2000,
  cells: 100_000,
  stepBytes: 2 ** 22,
};
/** Where somebody asks for a page: some seconds. */
export const THOROUGH: Effort = {
  multiplyAdds: 4e10,
  rows: 200_000,
  cells: 4_000_000,
  stepBytes: 2 ** 29,
};

const REPEATS = 5;

/** The data of a run, or why there are none. */
export type RunRows = { readonly dataset: Dataset } | { readonly missing: string };

/** @param model undefined if the run has none yet */
export async function runResults(
  path: string,
  model: Model | undefined,
  rows: RunRows,
  effort: Effort,
): Promise<RunResults> {
  const loaded = loadTrainConfig(join(path, RUN_FILES.config));
  const epochs = readEpochs(path);
  const steps = readSteps(path, effort.stepBytes);
  const tell = withoutFolders(loaded);
  const notes: string[] = 'missing' in rows ? [tell(rows.missing)] : [];
  const dataset = 'dataset' in rows ? rows.dataset : undefined;
  const evaluated = model && dataset && (await evaluationOf(model, dataset, loaded, effort, notes));
  return {
    name: basename(resolve(path)),
    facts: factsOf(path, loaded, epochs, model, dataset),
    notes,
    epochs,
    ...(steps && { steps }),
    layers: readLayers(path),
    ...evaluated,
    ...(dataset && { data: dataResults(dataset, effort.cells, tell) }),
    ...(model && { network: networkResults(model) }),
    config: loaded.written,
    commands: commandsOf(path),
  };
}

/** Fewer rows say too little. */
const LEAST_ROWS = 100;

function tooLong(effort: Effort): string {
  return effort === QUICK
    ? 'take longer than the end of a training may: mlp report computes them'
    : 'take longer than a page may';
}

/** Unless rows choose something, those that choose nothing come first. */
const SPLITS = ['test', 'validation', 'train'] as const satisfies readonly SplitName[];

async function evaluationOf(
  model: Model,
  dataset: Dataset,
  { config }: LoadedTrainConfig,
  effort: Effort,
  notes: string[],
): Promise<Pick<RunResults, 'evaluation' | 'importance'>> {
  const { multiplyAdds, rows: mostRows } = effort;
  const name = SPLITS.find((split) => (dataset[split]?.rows ?? 0) > 0);
  const split = name && dataset[name];
  // A model may also read less than the data hold, if somebody changed the config.
  if (!split || matrixWidth(model.features) !== dataset.matrix.columns) return {};
  const most = Math.min(mostRows, Math.floor(multiplyAdds / costOfRow(model)));
  if (most < Math.min(LEAST_ROWS, split.rows)) {
    notes.push(`The network is so large that its predictions ${tooLong(effort)}`);
    return {};
  }
  const { results, importance } = await PredictorPool.use(model, { threads: 'auto' }, async (pool) => {
    const { results, rows } = await evaluateSplit(model, pool, name, split, most, foldsOf(dataset, name));
    const importanceOf = (repeats: number) =>
      permutationImportance(model, pool, rows, { seed: config.seed, repeats, most: multiplyAdds });
    return { results, importance: (await importanceOf(REPEATS)) ?? (await importanceOf(1)) };
  });
  const image = imageOf(model.features);
  return {
    evaluation: results,
    importance: importance
      ? { ...importance, ...(image && { pictureWidth: image.width }) }
      : `Shuffling each column would ${tooLong(effort)}.`,
  };
}

function factsOf(
  path: string,
  { config }: LoadedTrainConfig,
  epochs: ReadonlyMap<string, Float64Array>,
  model: Model | undefined,
  dataset: Dataset | undefined,
): RunFacts {
  const hasSummary = statOf(join(path, RUN_FILES.summary)) !== undefined;
  const summary = hasSummary ? readSummary(path) : undefined;
  const told = (summary ?? {}) as Readonly<Record<string, unknown>>;
  const number = (key: string) => (typeof told[key] === 'number' ? (told[key] as number) : undefined);
  const { training, data } = config;
  const done = number('epochs') ?? epochs.get('epoch')?.length ?? 0;
  const scores = Object.fromEntries(
    ['train', 'validation', 'test'].flatMap((split) =>
      isObject(told[split]) ? [[split, numbersOf(told[split])]] : [],
    ),
  );
  const { refit } = told;
  const keepMetric = training.keepMonitor ?? training.earlyStopping?.monitor ?? 'validation_loss';
  const pace = number('samplesPerSecond');
  const optional = <Value>(name: string, value: Value | undefined, show: (value: Value) => string) =>
    value === undefined ? [] : [[name, show(value)] as const];
  return {
    status: (summary?.status as RunFacts['status']) ?? 'unfinished',
    targets: model?.targets ?? [data.target].flat().map(String),
    ...(model && { task: model.task, ...(model.classes && { classes: model.classes }) }),
    dataFile: dataName(data.train),
    ...(dataset && {
      rows: {
        train: dataset.train.rows,
        validation: dataset.validation?.rows ?? 0,
        test: dataset.test?.rows ?? 0,
      },
    }),
    epochs: done,
    ...('epochs' in training && typeof training.epochs === 'number' && { plannedEpochs: training.epochs }),
    ...defined({ steps: number('steps'), keptEpoch: number('keptEpoch'), seconds: number('trainSeconds') }),
    keepMetric,
    ...(isObject(refit) && { refit: { rows: Number(refit.rows), epochs: Number(refit.epochs) } }),
    optimizer: training.optimizer.type,
    learningRate: training.optimizer.learningRate,
    scores,
    details: [
      ...optional('Loss', model?.loss, String),
      ...optional('Last step loss', number('lastStepLoss'), (loss) => String(Number(loss.toPrecision(6)))),
      ...optional('Time of the steps', number('trainSeconds'), formatDuration),
      ...optional('Speed', pace, formatRate),
      ...optional(
        'Kernels',
        summary,
        ({ backend, threads }) => `${backend}, ${counted(threads, 'thread')}, ${precisionOf(config)}`,
      ),
      ['Seed', formatCount(config.seed)],
      ...optional('Versions', summary, ({ version, node }) => `mlp ${version}, Node ${node}`),
      ...optional('Weights, SHA-256', summary?.weightsSha256, String),
    ],
  };
}

/** The numbers of an object, and what is undefined: a stranger may have written anything. */
export function numbersOf(scores: object): Record<string, number | null> {
  return Object.fromEntries(
    Object.entries(scores).filter(([, value]) => typeof value === 'number' || value === null),
  );
}

function defined<Key extends string>(values: Record<Key, number | undefined>): Partial<Record<Key, number>> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<
    Record<Key, number>
  >;
}

function dataName(train: unknown): string {
  return listed(
    [train].flat().map((file) => (file === '-' ? 'standard input' : basename(String(file)))),
    2,
  );
}

/** A page is passed on: it names files, not the folders of this machine. */
function withoutFolders({ config, directory }: LoadedTrainConfig): (sentence: string) => string {
  const { train, validation, test } = config.data;
  const named = [train, validation, test].flat().filter((file) => typeof file === 'string' && file !== '-');
  const folders = [directory, ...named.map((file) => dirname(sourcePath(String(file), directory)))]
    .filter((folder) => folder !== '.')
    .sort((a, b) => b.length - a.length);
  return (sentence) => folders.reduce((text, folder) => text.replaceAll(`${folder}${sep}`, ''), sentence);
}

function commandsOf(path: string): RunResults['commands'] {
  const shown = commandFor(path);
  return [
    { command: `mlp repro ${shown}`, does: 'trains it again, in memory, and compares every bit' },
    { command: `mlp train ${shown}/config.json --run again`, does: 'trains the same into another directory' },
    { command: `mlp evaluate ${shown}`, does: 'all scores of the rows that were held out' },
    { command: `mlp predict ${shown} new.csv`, does: 'predicts the rows of another file' },
  ];
}

/** A directory as a shell takes it, without the folders of this machine. */
export function commandFor(path: string): string {
  const isWithin = !isAbsolute(path) && !path.startsWith('..');
  return quoted(isWithin ? path : basename(resolve(path)));
}

/** As a shell takes it. */
function quoted(path: string): string {
  return /^[\w./@%+,:=-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

/** Why the rows of a run can't be read. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof MlpError)) throw error;
  return error.message;
}
