/** mlp crossvalidate: trains a run for each fold, and shows how much the scores vary. */
import { ExitCode, MlpError } from '../errors.js';
import type { Display } from '../report/style.js';
import { type Column, formatTable } from '../report/table.js';
import { type LoadedTrainConfig, loadTrainConfig } from '../spec/loadConfig.js';
import { LEAST_FOLDS, MOST_REPEATS } from '../spec/splitConfig.js';
import { formatCount, formatMetric, metricName, printable } from '../text.js';
import {
  crossValidate,
  joinCrossValidation,
  resumeCrossValidation,
} from '../training/crossvalidation/crossValidate.js';
import { CROSS_VALIDATION_FILES } from '../training/crossvalidation/directory.js';
import type { FoldShape } from '../training/crossvalidation/folds.js';
import type { CrossValidation } from '../training/crossvalidation/progress.js';
import type { CrossValidationReport } from '../training/crossvalidation/report.js';
import { launchOf } from '../training/mpi/library.js';
import { CrossValidationProgress } from './crossvalidateProgress.js';
import type { CommonOptions } from './options.js';
import { note, print, toJson, warn } from './output.js';
import type { SharedWork } from './ranks.js';
import { displayOf } from './terminal.js';
import { type OverrideOptions, overridesOf, requireOneDirectory, unlessFailed } from './train.js';

export interface CrossValidateOptions extends CommonOptions, OverrideOptions {
  readonly folds?: number;
  readonly repeats?: number;
  readonly as?: 'test' | 'validation';
  readonly group?: string;
  readonly order?: string;
  readonly ordered?: boolean;
  readonly stratify: boolean;
  readonly parallel?: number;
  readonly run?: string;
  readonly resume?: string;
}

const DEFAULT_FOLDS = 5;

export async function run(path: string, options: CrossValidateOptions): Promise<void> {
  requireConsistent(options);
  const launch = launchOf(process.env);
  if (!launch) return validateAndReport(path, options);
  const { shareWork } = await import('./ranks.js');
  return shareWork(launch, {
    start: (share) => validateAndReport(path, options, share),
    async join(directory, { name, processors, signal }) {
      const loaded = loadTrainConfig(path, overridesOf(options));
      const how = { atOnce: options.parallel, processors, signal };
      const trouble = await joinCrossValidation(loaded, directory, how);
      if (trouble) warn(`${name} left its folds to rank 0: ${trouble.message}`);
    },
  });
}

async function validateAndReport(
  path: string,
  options: CrossValidateOptions,
  share?: Parameters<SharedWork['start']>[0],
): Promise<void> {
  const loaded = loadTrainConfig(path, overridesOf(options));
  const { folds, repeats, as, resume, parallel: atOnce } = options;
  const shape = shapeOf(options, loaded);
  const given = {
    ...(folds !== undefined && { folds }),
    ...(repeats !== undefined && { repeats }),
    ...(as !== undefined && { as }),
    ...(shape && { shape }),
  };
  const progress = new CrossValidationProgress(options);
  try {
    await progress.start();
    const { listener, signal } = progress;
    const how = { listener, signal, atOnce, ...share };
    const done =
      resume === undefined
        ? await crossValidate(
            loaded,
            { folds: DEFAULT_FOLDS, repeats: 1, as: 'test', ...given },
            { ...how, directory: options.run },
          )
        : await resumeCrossValidation(loaded, resume, given, how);
    progress.close();
    await show(done, options);
    await unlessFailed(done.directory, async () => {
      const { writeFoldsReport } = await import('../analysis/several.js');
      await writeFoldsReport(done.directory);
    });
    if (done.report.status === 'interrupted') {
      process.exitCode = progress.exitCode;
      const directory = printable(done.directory);
      note(
        `resume with: mlp crossvalidate ${directory}/${CROSS_VALIDATION_FILES.config} --resume ${directory}`,
      );
    }
  } finally {
    progress.close();
  }
}

/** @throws MlpError ExitCode.usage for options that contradict each other */
function requireConsistent({
  run,
  resume,
  folds = LEAST_FOLDS,
  repeats = 1,
  ...shape
}: CrossValidateOptions) {
  requireOneDirectory(run, resume);
  if (folds < LEAST_FOLDS) {
    throw new MlpError(
      ExitCode.usage,
      `--folds: found ${folds}, expected at least ${LEAST_FOLDS}`,
      'a single share of the rows is held out by data.validation or data.test',
    );
  }
  if (repeats > MOST_REPEATS) {
    throw new MlpError(ExitCode.usage, `--repeats: found ${repeats}, expected at most ${MOST_REPEATS}`);
  }
  const asked = [
    shape.group !== undefined && '--group',
    shape.order !== undefined && '--order',
    shape.ordered && '--ordered',
    !shape.stratify && '--no-stratify',
  ].filter((option) => option !== false && option !== undefined);
  if (asked.length > 1) {
    throw new MlpError(ExitCode.usage, `found both ${asked[0]} and ${asked[1]}, expected one of them`);
  }
}

/** Undefined for that of the config's own split. */
function shapeOf(
  { group, order, ordered, stratify }: CrossValidateOptions,
  { config }: LoadedTrainConfig,
): FoldShape | undefined {
  // As in the config: a file without a header has numbers for its columns.
  const [target] = [config.data.target].flat();
  const column = (text: string) => (typeof target === 'number' && /^\d+$/.test(text) ? Number(text) : text);
  if (group !== undefined) return { group: column(group) };
  if (order !== undefined) return { ordered: true, by: column(order) };
  if (ordered) return { ordered: true };
  return stratify ? undefined : { stratify: false };
}

async function show({ directory, report }: CrossValidation, options: CommonOptions): Promise<void> {
  if (options.json) {
    print(toJson({ ...report, directory }, 2));
    return;
  }
  const display = await displayOf(process.stdout, options.color);
  if (report.runs.length > 0) {
    print(`\n${scoresTable(report, display)}`);
    print(`\n${summary(report, display)}`);
  }
  print(display.style.dim(`cross-validation ${printable(directory)}`));
}

/** Only in the file and with --json: a table of all would not fit. */
const DETAILS = new Set([
  'balancedAccuracy',
  'matthews',
  'brier',
  'prAuc',
  'calibrationError',
  'medianAbsoluteError',
  'mape',
]);

function scoresTable({ runs, metrics }: CrossValidationReport, display: Display): string {
  const names = Object.keys(metrics).filter((name) => !DETAILS.has(name));
  const numbers = ['rows', 'epochs', ...names.map((name) => metricName(name))];
  const columns = [{ header: 'run' }, ...numbers.map((header): Column => ({ header, align: 'right' }))];
  const rows = runs.map(({ run, rows, keptEpoch, metrics }) => [
    run,
    formatCount(rows),
    formatCount(keptEpoch),
    ...names.map((name) => optional(metrics[name])),
  ]);
  const footer = (['mean', 'deviation'] as const).map((key) => [
    key,
    '',
    '',
    ...names.map((name) => optional(metrics[name][key])),
  ]);
  return formatTable(columns, rows, display, { footer });
}

/** What the last line says, as far as the task has it. */
const MAIN = ['accuracy', 'rocAuc', 'r2', 'rmse', 'loss'];

function summary(
  { runs, metrics, request, status }: CrossValidationReport,
  { style, ascii }: Display,
): string {
  const sign = ascii ? '+-' : '±';
  const texts = MAIN.flatMap((name) => {
    if (!Object.hasOwn(metrics, name)) return [];
    const { mean, deviation } = metrics[name];
    const spread = deviation === null ? '' : ` ${sign} ${alike(deviation, formatMetric(mean))}`;
    return [`${metricName(name)} ${formatMetric(mean)}${spread}`];
  });
  const isInterrupted = status === 'interrupted';
  const folds = isInterrupted ? `${runs.length} of ${request.folds * request.repeats}` : `${runs.length}`;
  const how = `mean ${sign} sample deviation over ${folds} folds`;
  return `${isInterrupted ? style.warn('interrupted: ') : ''}${style.bold(texts.join(', '))} (${how})`;
}

/** With as many decimals as another number. */
function alike(value: number, other: string): string {
  const decimals = /^-?\d+\.(\d+)$/.exec(other)?.[1].length;
  return decimals === undefined ? formatMetric(value) : value.toFixed(decimals);
}

/** An undefined value is `-`. */
function optional(value: number | null | undefined): string {
  return value === null || value === undefined ? '-' : formatMetric(value);
}
