/** The pure parts of the quality benchmark: reading CSVs and splits, scores, means and tables. */
import { inflateSync } from 'node:zlib';

/** What ratios are relative to. */
export const BASELINE = 'lightgbm';

/** A probability of 0 for what then happens would make the log loss infinite. */
const LEAST_PROBABILITY = 1e-15;
/** A score of 0 would make every geometric mean 0. */
const LEAST_SCORE = 1e-4;

/** The records of a CSV text, each with its cells and its own text, line breaks in quotes included; the first is the header. */
export function parseCsv(text) {
  const records = [];
  let cells = [];
  let start = 0;
  // A cell, and what ends it. Commas and line breaks inside quotes are part of the cell.
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|\n|$)/gy;
  while (cell.lastIndex < text.length || cells.length > 0) {
    const place = cell.lastIndex;
    const found = cell.exec(text);
    if (!found) throw new Error(`character ${place}: found a stray quote, expected a cell`);
    cells.push(found[1]?.replaceAll('""', '"') ?? found[2]);
    if (found[3] === ',') continue;
    records.push({ cells, text: text.slice(start, cell.lastIndex - found[3].length) });
    cells = [];
    start = cell.lastIndex;
  }
  return records;
}

/** Which rows are for the test: one bit a row, the first row highest, zlib, base64. */
export function decodeSplit(base64, rows) {
  const bytes = inflateSync(Buffer.from(base64, 'base64'));
  if (bytes.length !== Math.ceil(rows / 8))
    throw new Error(
      `found a split of ${bytes.length} bytes, expected ${Math.ceil(rows / 8)} for ${rows} rows`,
    );
  return Array.from({ length: rows }, (_, row) => ((bytes[row >> 3] >> (7 - (row & 7))) & 1) === 1);
}

/**
 * Scores the predictions for the test rows.
 * @param truth cells of the target
 * @param predictions `labels`, `classes` and `probabilities` (rows × classes); for a regression `values`
 */
export function scorePredictions(truth, { labels, classes, probabilities, values }) {
  const count = (values ?? labels).length;
  if (count !== truth.length) throw new Error(`found ${count} predictions, expected ${truth.length}`);
  if (values) return { nrmse: normalisedRmse(truth.map(Number), values) };
  const scores = {
    error: truth.filter((label, row) => label !== labels[row]).length / truth.length,
    logLoss: logLoss(truth, classes, probabilities),
  };
  if (classes.length !== 2) return scores;
  const second = probabilities.map((row) => row[1]);
  return {
    ...scores,
    auc: areaUnderCurve(
      truth.map((label) => label === classes[1]),
      second,
    ),
  };
}

/** The root of the mean squared error over the standard deviation (of all, not a sample) of the targets. */
export function normalisedRmse(targets, values) {
  const mean = average(targets);
  const squares = average(targets.map((target, row) => (target - values[row]) ** 2));
  return Math.sqrt(squares / average(targets.map((target) => (target - mean) ** 2)));
}

export function logLoss(truth, classes, probabilities) {
  const losses = truth.map((label, row) => {
    const total = probabilities[row].reduce((sum, p) => sum + p, 0);
    return -Math.log(Math.max((probabilities[row][classes.indexOf(label)] ?? 0) / total, LEAST_PROBABILITY));
  });
  return average(losses);
}

/** The probability that a positive row scores higher than a negative one, ties counted half (Mann–Whitney). */
export function areaUnderCurve(isPositive, scores) {
  const order = scores.map((_, row) => row).sort((a, b) => scores[a] - scores[b]);
  let rankSum = 0;
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && scores[order[to]] === scores[order[from]]) to++;
    const rank = (from + 1 + to) / 2;
    rankSum += rank * order.slice(from, to).filter((row) => isPositive[row]).length;
    from = to;
  }
  const positives = isPositive.filter(Boolean).length;
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * (scores.length - positives));
}

export function geometricMean(values) {
  return Math.exp(average(values.map(Math.log)));
}

function groupBy(items, key) {
  const groups = new Map();
  for (const item of items) groups.set(item[key], [...(groups.get(item[key]) ?? []), item]);
  return groups;
}

function average(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The error of classes or the RMSE of numbers: what contenders are ranked by. */
const mainScore = ({ error, nrmse }) => error ?? nrmse;

/**
 * The means of all seeds by contender and set. Of a contender that was measured in several versions, the last one counts.
 * @param results in the order in which they were measured
 * @returns contenders in the order of their first result: `{ contender, isOurs, version, seeds, sets: Map of set → means }`
 */
export function meansOf(results) {
  const byContender = groupBy(results, 'contender');
  return [...byContender].map(([contender, all]) => {
    const { version, isOurs } = all.at(-1);
    const latest = all.filter((result) => result.version === version);
    const sets = [...groupBy(latest, 'set')].map(([set, runs]) => {
      const mean = (of) => (of(runs[0]) === undefined ? undefined : average(runs.map(of)));
      return [
        set,
        {
          score: mean(({ scores }) => Math.max(mainScore(scores), LEAST_SCORE)),
          isRegression: runs[0].scores.nrmse !== undefined,
          logLoss: mean(({ scores }) => scores.logLoss),
          auc: mean(({ scores }) => scores.auc),
          cpuSeconds: mean(({ cpuSeconds }) => cpuSeconds),
          wallSeconds: mean(({ wallSeconds }) => wallSeconds),
        },
      ];
    });
    const seeds = new Set(latest.map(({ seed }) => seed)).size;
    return { contender, isOurs, version, seeds, sets: new Map(sets) };
  });
}

/** One line a contender: geometric means of ratios to the baseline, wins, and times. */
export function summarise(means) {
  const baseline = means.find(({ contender }) => contender === BASELINE)?.sets ?? new Map();
  const best = (set) =>
    Math.min(
      ...means
        .filter(({ isOurs }) => !isOurs)
        .map(({ sets }) => sets.get(set)?.score ?? Number.POSITIVE_INFINITY),
    );
  return means.map(({ sets, ...contender }) => {
    const shared = [...sets].filter(([set]) => baseline.has(set));
    const ratio = (key, wanted = () => true) => {
      const chosen = shared.filter(([, mean]) => mean[key] !== undefined && wanted(mean));
      return geometricMean(chosen.map(([set, mean]) => mean[key] / baseline.get(set)[key]));
    };
    const all = [...sets];
    return {
      ...contender,
      sets: sets.size,
      ratio: ratio('score'),
      classes: ratio('score', ({ isRegression }) => !isRegression),
      numbers: ratio('score', ({ isRegression }) => isRegression),
      logLoss: ratio('logLoss'),
      auc: average(all.flatMap(([, { auc }]) => auc ?? [])),
      wins: all.filter(([set, { score }]) => score <= best(set)).length,
      worst: Math.max(...all.map(([set, { score }]) => score / best(set))),
      cpuSeconds: all.reduce((sum, [, mean]) => sum + mean.cpuSeconds, 0),
      wallSeconds: all.reduce((sum, [, mean]) => sum + mean.wallSeconds, 0),
    };
  });
}

/** Everything in Markdown: the summary, and contenders by sets for scores, log loss and CPU seconds. */
export function tables(results) {
  const means = meansOf(results);
  const sets = [...new Set(results.map(({ set }) => set))].sort();
  const summary = summarise(means).map((line) => [
    line.contender,
    `${line.sets} × ${line.seeds}`,
    ...[line.ratio, line.classes, line.numbers, line.logLoss].map((value) => fixed(value, 3)),
    fixed(line.auc, 4),
    String(line.wins),
    fixed(line.worst, 2),
    fixed(line.cpuSeconds, 1),
    fixed(line.wallSeconds, 1),
  ]);
  const bySet = (key, digits) => {
    const lines = sets.map((set) => [set, ...means.map((mean) => fixed(mean.sets.get(set)?.[key], digits))]);
    return markdown(
      ['set', ...means.map(({ contender }) => contender)],
      lines.filter((line) => line.slice(1).some(Boolean)),
    );
  };
  const dates = results.map(({ date }) => date.slice(0, 10)).sort();
  return [
    `Geometric means of ratios to ${BASELINE}; smaller is better. Wins: sets on which nobody but \`mlp\` is better. Worst: the greatest ratio`,
    `to the best of the others on a set. Seconds: of training, sums over the sets. ${dates[0]} to ${dates.at(-1)}.`,
    '',
    markdown(
      [
        'contender',
        'sets × seeds',
        'all',
        'classes',
        'numbers',
        'log loss',
        'AUC',
        'wins',
        'worst',
        'CPU s',
        'wall s',
      ],
      summary,
    ),
    '',
    ...means.map(({ contender, version }) => `- ${contender}: ${version}`),
    '',
    'Error, or RMSE over the standard deviation of the test targets:',
    '',
    bySet('score', 4),
    '',
    'Log loss:',
    '',
    bySet('logLoss', 4),
    '',
    'CPU seconds of training:',
    '',
    bySet('cpuSeconds', 1),
  ].join('\n');
}

function fixed(value, digits) {
  return Number.isFinite(value) ? value.toFixed(digits) : '';
}

/** A Markdown table, columns of numbers aligned to the right. */
function markdown(header, lines) {
  const widths = header.map((title, i) => Math.max(3, title.length, ...lines.map((line) => line[i].length)));
  const row = (cells) =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |`;
  const rule = widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [row(header), row(rule), ...lines.map(row)].join('\n');
}
