/** What mlp sweep shows of a study, as text and as JSON. */

import type { Metrics } from '../evaluation/metrics.js';
import type { Display } from '../report/style.js';
import { type Cell, type Column, formatTable } from '../report/table.js';
import { completeTrials, importances, LEAST_FOR_IMPORTANCE } from '../sweep/importance.js';
import { type JobResult, ranked, type Trial } from '../sweep/schedule.js';
import type { PointSetting } from '../sweep/space.js';
import type { Study } from '../sweep/study.js';
import { bestOf } from '../sweep/sweep.js';
import { counted, formatDuration, formatMetric, formatPercent, printable } from '../text.js';
import { shown } from '../training/run/differences.js';
import { readSummary } from '../training/run/summary.js';
import { describeMetrics } from './trainReport.js';

/** More rows say nothing more. */
const MOST_RANKED = 10;

export interface RunningTrial {
  readonly trial: Trial;
  readonly settings: string;
  epoch: number;
  epochs: number;
  value: number | undefined;
}

/** `learningRate 0.01, batchSize 32`: the last word of a path says enough. */
export function settingsText(settings: readonly PointSetting[]): string {
  return settings.map(({ path, value }) => `${lastWord(path)} ${printable(shown(value))}`).join(', ');
}

function lastWord(path: string): string {
  return printable(path.slice(path.lastIndexOf('.') + 1));
}

/** What became of a job, in a line of the log. */
export function endLine({ number }: Trial, result: JobResult, metric: string): string {
  const { state, epochs, value, reason } = result;
  const after = `after ${counted(epochs, 'epoch')}`;
  if (state === 'failed') return printable(`trial ${number} failed: ${reason ?? ''}`);
  const score = value === null ? `no ${metric}` : `${metric} ${formatMetric(value)}`;
  return `trial ${number} ${state === 'paused' ? 'paused' : 'done'}: ${score} ${after}`;
}

/** The state of a sweep on a terminal. @param pace seconds for each job so far */
export function liveLines(
  study: Study,
  running: readonly RunningTrial[],
  pace: number | undefined,
): string[] {
  const { trials, most, sweep } = study;
  const ended = trials.filter(({ results }) => results.length > 0);
  const states = ended.map(({ results }) => results.at(-1)?.state);
  const countOf = (state: JobResult['state']) => states.filter((other) => other === state).length;
  const best = bestOf(study);
  const value = best?.results.at(-1)?.value;
  const left =
    pace === undefined ? '' : `, about ${formatDuration(pace * Math.max(0, most - ended.length))} left`;
  const counts = [
    `${countOf('complete')} of ${counted(most, 'trial')} complete`,
    ...(sweep.stop ? [`${countOf('paused')} stopped`] : []),
    ...(countOf('failed') > 0 ? [`${countOf('failed')} failed`] : []),
  ];
  const summary = `${counts.join(', ')}${left}`;
  const first =
    best && value !== null && value !== undefined
      ? `${summary}; best ${sweep.metric} ${formatMetric(value)} (trial ${best.number})`
      : summary;
  return [first, ...running.map((trial) => runningLine(trial, sweep.metric))];
}

function runningLine({ trial, settings, epoch, epochs, value }: RunningTrial, metric: string): string {
  const progress = epochs > 0 ? `epoch ${epoch}/${epochs}` : 'starts';
  const score = value === undefined ? '' : `, ${metric} ${formatMetric(value)}`;
  return `  trial ${trial.number}  ${progress}${score}  ${settings}`;
}

/** The ranking and the scores of the best trial, as text. */
export function sweepSummary(study: Study, best: Trial | undefined, display: Display): string {
  const order = ranked(
    study.trials.filter(({ results }) => results.length > 0),
    study.maximize,
  );
  const ranking = rankingTable(study, order.slice(0, MOST_RANKED), display);
  const more =
    order.length > MOST_RANKED
      ? [display.style.dim(`and ${order.length - MOST_RANKED} more: mlp runs ${printable(study.path)}`)]
      : [];
  if (!best) return ['', ranking, ...more, '', 'no trial was trained to its end'].join('\n');
  const { validation, test, train } = scoresOf(study, best);
  const sides = { ...(validation ? { validation } : { training: train }), test };
  const scores = Object.entries(sides).flatMap(([side, metrics]) =>
    metrics ? [`${side} ${describeMetrics(metrics)}`] : [],
  );
  const bold = scores.map((line) => display.style.bold(line));
  const importance = importanceText(study);
  return ['', ranking, ...more, '', ...importance, `the best is trial ${best.number}`, ...bold].join('\n');
}

function importanceText(study: Study): string[] {
  const complete = completeTrials(study.trials, study.maximize);
  if (complete.length < LEAST_FOR_IMPORTANCE) return [];
  const shares = [...importances(study.space, complete)].map(
    ([name, share]) => `${lastWord(name)} ${formatPercent(share, 0)}`,
  );
  return [`importance (PED-ANOVA, of ${counted(complete.length, 'complete trial')}): ${shares.join(', ')}`];
}

function rankingTable(study: Study, trials: readonly Trial[], display: Display): string {
  const paths = Object.keys(study.sweep.space);
  const columns: Column[] = [
    { header: 'trial', align: 'right' },
    { header: study.sweep.metric, align: 'right' },
    { header: 'epochs', align: 'right' },
    { header: 'state' },
    ...paths.map((path) => ({ header: lastWord(path) })),
  ];
  const rows = trials.map((trial): Cell[] => {
    const { state, epochs, value } = trial.results.at(-1) as JobResult;
    const settings = new Map(study.space.settingsOf(trial.point).map(({ path, value }) => [path, value]));
    return [
      String(trial.number),
      value === null ? '-' : formatMetric(value),
      String(epochs),
      state === 'paused' ? 'stopped' : state,
      ...paths.map((path) => (settings.has(path) ? shown(settings.get(path)) : '-')),
    ];
  });
  return formatTable(columns, rows, display);
}

/** What the last line of --json says. */
export function rankingOf(study: Study, best: Trial | undefined): object {
  const objectOf = (trial: Trial) => {
    const settings = study.space.settingsOf(trial.point);
    const { state, epochs, value, reason } = trial.results.at(-1) ?? {
      state: 'open',
      epochs: 0,
      value: null,
    };
    return {
      trial: trial.number,
      state: state === 'paused' ? 'stopped' : state,
      epochs,
      value,
      ...(reason !== undefined && { reason }),
      settings: Object.fromEntries(settings.map(({ path, value }) => [path, value])),
    };
  };
  return {
    best: best && { ...objectOf(best), ...scoresOf(study, best) },
    trials: ranked(study.trials, study.maximize).map(objectOf),
    importance: Object.fromEntries(importances(study.space, completeTrials(study.trials, study.maximize))),
  };
}

/** The metrics of a trial that was trained to its end, by split: the only ones with test rows. */
function scoresOf(
  study: Study,
  trial: Trial,
): Readonly<Record<'train' | 'validation' | 'test', Metrics | undefined>> {
  const summary = readSummary(study.directoryOf(trial));
  const { train, validation, test } = summary as unknown as Record<string, Metrics | undefined>;
  return { train, validation, test };
}
