/** The page of a study: what its trials have found, and which settings mattered. */
import { counted, formatCount, formatMetric, formatPercent } from '../../text.js';
import { extremes } from '../curve.js';
import { Charts } from './charts.js';
import { type Content, html, type Markup, name } from './markup.js';
import { page } from './page.js';
import { shareBar } from './plots.js';
import type { StudyResults, TrialResults } from './results.js';
import { lastWord, scoreName } from './runsPage.js';
import { historyFigure, pairFigure, parallelFigure, sliceFigure } from './studyFigures.js';
import { facts, htmlTable, shortName } from './table.js';

const MOST_RANKED = 25;
const MOST_SLICES = 8;
const MOST_CURVES = 10;

export function studyPage(study: StudyResults, writer: string): string {
  const charts = new Charts();
  const { trials, best, scores, config, commands, importance } = study;
  const winner = trials.find(({ number }) => number === best);
  // The parameters that matter most come first.
  const order = study.parameters.map((_, at) => at);
  const shareOf = (at: number) =>
    importance?.find(({ parameter }) => parameter === study.parameters[at].name)?.share ?? 0;
  const byShare = [...order].sort((a, b) => shareOf(b) - shareOf(a) || a - b);
  const sections = [
    {
      id: 'history',
      title: 'History',
      body: html`<div class="pair">${historyFigure(study)}${curves(study, charts)}</div>`,
    },
    { id: 'importance', title: 'Which settings matter', body: importanceTable(study) },
    { id: 'parallel', title: 'All settings at once', body: parallelFigure(study, byShare) },
    {
      id: 'settings',
      title: 'Each setting',
      body: figures(byShare.slice(0, MOST_SLICES).map((at) => sliceFigure(study.parameters[at], at, study))),
    },
    {
      id: 'pairs',
      title: 'Pairs of settings',
      body: figures(pairsOf(byShare).map(([a, b]) => pairFigure(study, a, b))),
    },
    { id: 'ranking', title: 'Trials', body: ranking(study) },
    {
      id: 'best',
      title: 'The best config',
      body:
        config !== undefined &&
        html`<details><summary>best.json</summary><pre>${JSON.stringify(config, undefined, 2)}</pre></details>`,
    },
    {
      id: 'repeat',
      title: 'How to go on',
      body: facts(commands.map(({ command, does }) => [html`<code>${command}</code>`, does])),
    },
  ];
  const cards = (['test', 'validation'] as const).flatMap((split) =>
    Object.entries(scores[split] ?? {}).map(
      ([score, value]) =>
        html`<div class="card"><b>${value === null ? '–' : formatMetric(value)}</b><span>${scoreName(`${split}_${score}`)}</span></div>`,
    ),
  );
  const head = html`<h1>${name(study.name)}</h1>
<p class="lead">${sentence(study, winner)}</p>
${cards.length > 0 && html`<div class="cards">${cards}</div>`}`;
  return page({ title: `${study.name}: study`, head, sections, writer }, charts.data);
}

function sentence(
  { trials, method, metric, settings }: StudyResults,
  best: TrialResults | undefined,
): Markup {
  const countOf = (state: TrialResults['state']) => trials.filter((trial) => trial.state === state).length;
  const states = (['complete', 'stopped', 'failed', 'open'] as const).flatMap((state) =>
    countOf(state) > 0 ? [`${formatCount(countOf(state))} ${state}`] : [],
  );
  const what = html`${counted(trials.length, 'trial')} of ${counted(settings, 'setting')} by ${method} (${states.join(', ')})`;
  if (!best || best.value === null) return html`${what}. No trial was trained to its end.`;
  return html`${what}. The best ${metric} is ${formatMetric(best.value)}, of trial ${best.number}: ${best.settings.map(([path, value], i) => html`${i > 0 && ', '}${lastWord(path)} ${name(value)}`)}.`;
}

/** The figures that there are; nothing if there are none. */
function figures(list: readonly (Markup | undefined)[]): Content {
  const shown = list.filter((figure) => figure !== undefined);
  return shown.length > 0 && html`<div class="pair">${shown}</div>`;
}

/** Pairs of the three that matter most. */
function pairsOf([first, second, third]: readonly number[]): (readonly [number, number])[] {
  if (second === undefined) return [];
  if (third === undefined) return [[first, second]];
  return [
    [first, second],
    [first, third],
    [second, third],
  ];
}

function importanceTable({ importance = [], metric }: StudyResults): Content {
  if (importance.length === 0) return undefined;
  const most = importance.reduce((largest, { share }) => Math.max(largest, share), 0) || 1;
  return html`<p class="note">PED-ANOVA: which settings the best tenth of the complete trials, by ${metric}, chose in another way than all.</p>${htmlTable(
    {
      columns: [{ header: 'setting' }, { header: 'share', isNumber: true }, { header: '' }],
      rows: importance.map(({ parameter, share }) => [
        shortName(parameter),
        formatPercent(share, 0),
        shareBar(share / most),
      ]),
    },
  )}`;
}

/** The metric after the epochs of the best trials. */
function curves({ curves: all, ranking: order, metric, trials }: StudyResults, charts: Charts): Content {
  const places = order.slice(0, MOST_CURVES);
  const shown = places.flatMap((number) => all.find(({ trial }) => trial === number) ?? []);
  return charts.line({
    title: `${metric} of ${trials.length > MOST_CURVES ? `the ${MOST_CURVES} best trials` : 'the trials'}`,
    label: 'epoch',
    counts: true,
    series: shown.map(({ trial, x, y }, i) => ({
      name: `trial ${trial}`,
      ...extremes(x, y, 100),
      dashed: i % 2 === 1,
    })),
  });
}

function ranking({ trials, ranking: order, metric, best }: StudyResults): Markup {
  const paths = [...new Set(trials.flatMap(({ settings }) => settings.map(([path]) => path)))];
  const shown = order
    .slice(0, MOST_RANKED)
    .flatMap((number) => trials.find((trial) => trial.number === number) ?? []);
  const more = trials.length - shown.length;
  return html`${htmlTable({
    columns: [
      { header: 'trial' },
      { header: metric, isNumber: true },
      { header: 'epochs', isNumber: true },
      { header: 'state' },
      ...paths.map((path) => ({ header: lastWord(path) })),
    ],
    rows: shown.map(({ number, value, epochs, state, settings }) => {
      const values = new Map(settings);
      const text = value === null ? '–' : formatMetric(value);
      return [
        String(number),
        number === best ? html`<b class="best">${text}</b>` : text,
        formatCount(epochs),
        state,
        ...paths.map((path) => shortName(values.get(path) ?? '–')),
      ];
    }),
  })}${more > 0 && html`<p class="note">and ${formatCount(more)} more: mlp runs shows all</p>`}`;
}
