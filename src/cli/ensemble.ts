/** mlp ensemble: makes one model of several runs. */

import type { Display } from '../report/style.js';
import { type Column, formatTable } from '../report/table.js';
import type { EnsembleMethod, EnsembleMetric } from '../spec/words.js';
import { counted, formatCount, formatMetric, listed, metricName, printable } from '../text.js';
import { type BuiltEnsemble, buildEnsemble } from '../training/ensemble/build.js';
import type { CommonOptions } from './options.js';
import { note, print, toJson, warn } from './output.js';
import { noteOnce, withReadingProgress } from './reading.js';
import { displayOf } from './terminal.js';

export interface EnsembleOptions extends CommonOptions {
  readonly output: string;
  readonly method?: EnsembleMethod;
  readonly metric?: EnsembleMetric;
  readonly rounds?: number;
}

export async function run(paths: readonly string[], options: EnsembleOptions): Promise<void> {
  const { output, method, metric, rounds } = options;
  const request = { directory: output, method, metric, rounds };
  const built = await withReadingProgress(options, (progress) =>
    buildEnsemble(paths, request, { progress, note: noteOnce(), warn }),
  );
  if (options.json) {
    print(toJson(built, 2));
    return;
  }
  const { skipped } = built;
  if (skipped.length > 0) {
    note(`skipped ${counted(skipped.length, 'trial')} without a model: ${listed(skipped.map(printable))}`);
  }
  print(render(built, await displayOf(process.stdout, options.color)));
}

function render(built: BuiltEnsemble, display: Display): string {
  const { members, directory, candidates, metric, validation } = built;
  const columns: Column[] = [{ header: 'member' }, { header: 'weight', align: 'right' }];
  if (validation) columns.push({ header: metric, align: 'right' });
  const rows = members.map(({ run, weight, score }) => [
    run,
    formatCount(weight),
    ...(validation ? [formatMetric(score ?? Number.NaN)] : []),
  ]);
  const chosen = `${formatCount(members.length)} of ${counted(candidates, 'run')}`;
  return [
    formatTable(columns, rows, display),
    '',
    ...(validation ? gainLines(built, validation, display) : []),
    display.style.dim(`ensemble ${printable(directory)}, ${chosen}`),
  ].join('\n');
}

/** The metrics of an evaluation that the gain is told by, as far as the task has them. */
const MAIN = ['accuracy', 'r2', 'rmse', 'loss'];

function gainLines(
  { method }: BuiltEnsemble,
  { rows, best, ensemble }: NonNullable<BuiltEnsemble['validation']>,
  { style }: Display,
): string[] {
  const texts = (metrics: typeof ensemble.metrics) =>
    MAIN.flatMap((name) => {
      const value = metrics[name];
      return typeof value === 'number' ? [`${metricName(name)} ${formatMetric(value)}`] : [];
    }).join(', ');
  const chosen = method === 'greedy' ? ', which it was chosen on' : '';
  return [
    `best single  ${texts(best.metrics)} (${printable(best.run)})`,
    `${style.bold(`ensemble     ${texts(ensemble.metrics)}`)} on ${counted(rows, 'validation row')}${chosen}`,
  ];
}
