/** mlp calibrate: fits a temperature on the validation rows of a run, and keeps it in its model. */
import { join } from 'node:path';
import { foldsOf, type Split, type SplitName } from '../data/dataset/dataset.js';
import { ExitCode, MlpError } from '../errors.js';
import { writeFileAtomically } from '../files/atomic.js';
import { lockDirectory } from '../files/lock.js';
import { requireNoLink } from '../files/ownFiles.js';
import { RUN_FILES } from '../files/runFiles.js';
import { fitTemperature, hasProbabilities, lastLinear } from '../model/calibration.js';
import { meanLoss, predictRows, rowsOfSplit, scoreRows } from '../model/evaluatedRows.js';
import { encodeLoaded, loadModel, type Model } from '../model/load.js';
import { PredictorPool } from '../model/pool/predictorPool.js';
import { type EvaluationReport, reportOf } from '../model/scorer.js';
import { formatMetric, printable } from '../text.js';
import { type OwnSplits, readSplits } from './evaluateRun.js';
import type { CommonOptions } from './options.js';
import { print, toJson, warn } from './output.js';

interface Calibration {
  readonly split: SplitName;
  readonly rows: number;
  readonly before: EvaluationReport['metrics'];
  readonly after: EvaluationReport['metrics'];
}

/**
 * @throws MlpError ExitCode.usage for a model without probabilities or a run without validation rows;
 * busy if another process has the run; as `mlp evaluate`
 */
export async function run(path: string, options: CommonOptions): Promise<void> {
  const own = await readSplits(path, options);
  const { model, dataset } = own;
  requireCalibratable(model);
  const { validation } = dataset;
  if (!validation) {
    throw new MlpError(
      ExitCode.usage,
      `${printable(path)}: found no validation rows, expected some to fit a temperature to`,
      'train with data.validation, to 0.2 for a fifth of the rows',
    );
  }
  const rows = rowsOfSplit(validation, foldsOf(dataset, 'validation'));
  const temperature = await fitTemperature((temperature) => {
    const scaled = { ...model, temperature };
    return PredictorPool.use(scaled, {}, (pool) => meanLoss(scaled, pool, rows));
  });
  const { temperature: _, ...plain } = model;
  const splits: Calibration[] = [];
  for (const split of ['validation', 'test'] as const) {
    const rows = dataset[split]?.rows;
    if (rows === undefined) continue;
    const before = await metricsOf(own, split, plain);
    splits.push({ split, rows, before, after: await metricsOf(own, split, { ...model, temperature }) });
  }
  await keep(path, model, temperature);
  if (options.json) {
    print(toJson({ run: path, temperature, splits }, 2));
    return;
  }
  for (const { split, rows, before, after } of splits) {
    const change = (name: 'loss' | 'calibrationError') =>
      before[name] === undefined
        ? []
        : [`${formatMetric(before[name] ?? Number.NaN)} → ${formatMetric(after[name] ?? Number.NaN)}`];
    const [loss, error] = [change('loss'), change('calibrationError')];
    print(`${rows} ${split} rows: loss ${loss}${error.length > 0 ? `, calibration error ${error}` : ''}`);
  }
  print(`temperature ${temperature}, kept in ${printable(join(path, RUN_FILES.model))}`);
}

function requireCalibratable(model: Model): void {
  if (!hasProbabilities(model)) {
    throw new MlpError(
      ExitCode.usage,
      `${model.path}: found a ${model.task}, expected classes or labels: only they have probabilities`,
    );
  }
  if (lastLinear(model) !== undefined) return;
  throw new MlpError(
    ExitCode.usage,
    `${model.path}: found a network that does not end in a linear layer, expected one: its weights take the temperature`,
  );
}

async function metricsOf({ dataset }: OwnSplits, split: 'validation' | 'test', model: Model) {
  const own = dataset[split] as Split;
  const rows = rowsOfSplit(own, foldsOf(dataset, split));
  const predicted = await PredictorPool.use(model, {}, (pool) => predictRows(model, pool, rows));
  const result = scoreRows(model, predicted, rows);
  return reportOf(model, { rows: own.rows, weighted: own.weights !== undefined, result }).metrics;
}

/** Writes the model with the temperature, unless it has changed meanwhile. */
async function keep(run: string, model: Model, temperature: number): Promise<void> {
  const path = join(run, RUN_FILES.model);
  const lock = lockDirectory(run);
  try {
    requireNoLink(path);
    if (loadModel(run).checksum !== model.checksum) {
      warn(`${printable(path)}: changed meanwhile, so the temperature is not kept`);
      process.exitCode = ExitCode.busy;
      return;
    }
    const { header, parts } = encodeLoaded({ ...model, temperature });
    await writeFileAtomically(path, [header, ...parts]);
  } finally {
    lock.release();
  }
}
