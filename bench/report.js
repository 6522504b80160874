/** Results as Markdown, which reads well on a terminal too. */
import { ratios, spread } from './statistics.js';
import { flops, WORKLOADS } from './workloads.js';

/** The contenders that are set against the others: what a user of ours gets by himself. */
const OURS = ['mlp', 'load', 'predict'];

/** Runs as results.json has them, each under its machine and its date. */
export function report(runs) {
  return `${[goalTable(runs), ...runs.flatMap(runSections)].filter(Boolean).join('\n\n')}\n`;
}

/** The goals of all runs, in the order of the workloads. */
function goalTable(runs) {
  const titles = new Map(runs.flatMap(({ workloads }) => workloads.map(({ id, title }) => [id, title])));
  const goals = WORKLOADS.flatMap(({ id }) =>
    runs.flatMap((run) => run.goals.filter(({ workload }) => workload === id)),
  );
  if (goals.length === 0) return '';
  const rows = goals.map((goal) => {
    const { workload, text, relation, bound, unit, met } = goal;
    const wanted = bound === null ? '' : `${relation} ${ratioText(bound, unit)}`;
    const verdict = goal.rounds ? (met === undefined ? '' : met ? 'met' : '**missed**') : 'not measured';
    return [
      titles.get(workload),
      text,
      goal.rounds ? rangeText(goal, (value) => ratioText(value, unit)) : '',
      wanted,
      verdict,
    ];
  });
  return table(['work', 'ratio', 'measured', 'goal', ''], 'llrrl', rows);
}

function runSections(run) {
  const { machine, node, date, rounds, seconds, contenders, skipped, workloads } = run;
  const { cpu, cores, memoryGB, platform } = machine;
  return [
    `## ${date.slice(0, 10)}, ${cpu}`,
    `${cores} cores, ${memoryGB} GB, ${platform}; Node ${node}. ` +
      `Medians of ${rounds} rounds of ${seconds} s, with the least and the greatest in brackets.`,
    versionLine(contenders),
    skipped.length > 0
      ? `Left out: ${skipped.map(({ label, reason }) => `${label} (${reason})`).join('; ')}.`
      : '',
    ...workloads.flatMap((workload) => workloadSection(workload, contenders)),
  ];
}

function versionLine(contenders) {
  const versions = new Map(contenders.flatMap(({ versions }) => Object.entries(versions)));
  versions.delete('Node');
  versions.delete('threads');
  const list = [...versions].map(([name, version]) => `${name} ${version}`);
  return list.length > 0 ? `${list.join(', ')}.` : '';
}

function workloadSection({ id, title, figures, failures }, contenders) {
  const tables = WORKLOADS.find((workload) => workload.id === id).tasks.map((task) => {
    const measured = figures
      .filter((figure) => figure.task === task.id)
      .map(({ contender, values }) => ({
        id: contender,
        label: contenders.find((one) => one.id === contender).label,
        values,
      }));
    return measured.length === 0 ? '' : taskTable(task, measured);
  });
  const failed = failures.map(({ label, task, reason }) => `${label}, ${task}: failed: ${reason}`);
  return [`### ${title}`, ...tables, ...failed];
}

function taskTable(task, figures) {
  const { id, kind } = task;
  if (kind === 'train') return speedTable(figures, ['', 'ms a step', 'samples/s'], 1, task.batch);
  if (kind === 'load' || kind === 'table' || kind === 'predict')
    return speedTable(figures, [id, 's', 'rows/s'], 1e3, task.rows);
  const [unit, of] = {
    product: ['GFLOP/s', (ms) => flops(task) / ms / 1e6],
    process: ['ms', (ms) => ms],
    peak: ['MB', (megabytes) => megabytes],
  }[kind];
  const rows = figures.map(({ label, values }) => [label, rangeText(spread(values.map(of)), digits)]);
  return table([id, unit], 'lr', rows);
}

/**
 * Times sorted, and set against ours.
 * @param unit the milliseconds in what the second column shows
 * @param samples what is done in the time
 */
function speedTable(figures, head, unit, samples) {
  const base = figures.find(({ id }) => OURS.includes(id));
  const rows = figures
    .map((figure) => ({ ...figure, time: spread(figure.values) }))
    .sort((a, b) => a.time.median - b.time.median)
    .map(({ label, values, time }) => [
      label,
      rangeText(time, (ms) => digits(ms / unit)),
      Math.round((samples / time.median) * 1e3).toLocaleString('en'),
      base ? rangeText(spread(ratios(values, base.values)), (value) => ratioText(value, '×')) : '',
    ]);
  return table([...head, 'time against mlp'], 'lrrr', rows);
}

function rangeText({ median, min, max }, format) {
  return `${format(median)} (${format(min)}–${format(max)})`;
}

function ratioText(value, unit) {
  if (unit === '%') return `${(value * 100).toFixed(0)} %`;
  return unit === 'MB' ? `${digits(value)} MB` : `${digits(value)}×`;
}

/** Three significant digits, never in powers of ten. */
function digits(value) {
  const magnitude = Math.floor(Math.log10(Number(value.toPrecision(3))));
  return value.toFixed(Math.min(Math.max(0, 2 - magnitude), 6));
}

/** @param alignment l or r for each column */
function table(head, alignment, rows) {
  const widths = head.map((cell, column) =>
    Math.max(3, ...[cell, ...rows.map((row) => row[column])].map((c) => c.length)),
  );
  const line = (cells) => {
    const padded = cells.map((cell, j) =>
      alignment[j] === 'l' ? cell.padEnd(widths[j]) : cell.padStart(widths[j]),
    );
    return `| ${padded.join(' | ')} |`;
  };
  const rule = widths.map((width, j) =>
    alignment[j] === 'l' ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}
