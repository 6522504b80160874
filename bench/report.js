/** Results as Markdown, which reads well on a terminal too. */
import { ratios, spread } from './statistics.js';
import { flops } from './workloads.js';

export function report({ machine, node, date, rounds, seconds, contenders, skipped, workloads, goals }) {
  const { cpu, cores, memoryGB, platform } = machine;
  const parts = [
    `${cpu}, ${cores} cores, ${memoryGB} GB, ${platform}; Node ${node}; ${date.slice(0, 10)}. ` +
      `Medians of ${rounds} rounds of ${seconds} s, with the least and the greatest in brackets.`,
    versionLine(contenders),
    ...(skipped.length > 0
      ? [`Left out: ${skipped.map(({ label, reason }) => `${label} (${reason})`).join('; ')}.`]
      : []),
    goalTable(goals, workloads),
    ...workloads.map(workloadSection),
  ];
  return `${parts.filter(Boolean).join('\n\n')}\n`;
}

function versionLine(contenders) {
  const versions = new Map(contenders.flatMap(({ versions }) => Object.entries(versions)));
  versions.delete('Node');
  versions.delete('threads');
  return `${[...versions].map(([name, version]) => `${name} ${version}`).join(', ')}.`;
}

function goalTable(goals, workloads) {
  if (goals.length === 0) return '';
  const title = (id) => workloads.find((workload) => workload.id === id).title;
  const rows = goals.map((goal) => {
    const { workload, text, relation, bound, unit, met } = goal;
    const wanted = bound === null ? '' : `${relation} ${ratioText(bound, unit)}`;
    const verdict = goal.rounds ? (met === undefined ? '' : met ? 'met' : '**missed**') : 'not measured';
    return [
      title(workload),
      text,
      goal.rounds ? rangeText(goal, (value) => ratioText(value, unit)) : '',
      wanted,
      verdict,
    ];
  });
  return table(['work', 'ratio', 'measured', 'goal', ''], 'llrrl', rows);
}

function workloadSection({ title, figures, failures }) {
  const tasks = [...new Set(figures.map(({ task }) => task))];
  const tables = tasks.map((id) => taskTable(figures.filter(({ task }) => task === id)));
  const failed = failures.map(({ label, task, reason }) => `${label}, ${task}: failed: ${reason}`);
  return [`### ${title}`, ...tables, ...failed].join('\n\n');
}

function taskTable(figures) {
  const { kind, id } = figures[0].spec;
  if (kind === 'train') return trainTable(figures);
  const rows = figures.map(({ contender, spec, ms }) => {
    const values = kind === 'product' ? ms.map((time) => flops(spec) / time / 1e6) : ms;
    return [contender.label, rangeText(spread(values), digits)];
  });
  return table([id, kind === 'product' ? 'GFLOP/s' : 'ms'], 'lr', rows);
}

/** Sorted by speed, and set against the automatic choice. */
function trainTable(figures) {
  const base = figures.find(({ contender }) => contender.kind === 'auto');
  const rows = figures
    .map(({ contender, spec, ms }) => ({ contender, spec, ms, time: spread(ms) }))
    .sort((a, b) => a.time.median - b.time.median)
    .map(({ contender, spec, ms, time }) => [
      contender.label,
      rangeText(time, digits),
      Math.round((spec.batch / time.median) * 1e3).toLocaleString('en'),
      base ? rangeText(spread(ratios(ms, base.ms)), (value) => ratioText(value, '×')) : '',
    ]);
  return table(['', 'ms a step', 'samples/s', 'time against mlp'], 'lrrr', rows);
}

function rangeText({ median, min, max }, format) {
  return `${format(median)} (${format(min)}–${format(max)})`;
}

function ratioText(value, unit) {
  return unit === '%' ? `${(value * 100).toFixed(0)} %` : `${digits(value)}×`;
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
