/** mlp inspect: a CSV as it is understood, in figures, and what to look at before training. */
import { Command } from 'commander';
import { addTableOptions, readTableOf, type TableOptions } from './tableOptions.js';

export function inspectCommand(): Command {
  const command = new Command('inspect')
    .description('print what a CSV file holds: columns, types, ranges, classes, and what to look at')
    .argument('<data.csv>', 'a CSV file, plain or gzipped, or - for standard input');
  return addTableOptions(command).action(run);
}

async function run(path: string, options: TableOptions): Promise<void> {
  const { summarize } = await import('../data/summary/summary.js');
  const { print, toJson, warn } = await import('./output.js');

  const { table, beginning, target } = await readTableOf(path, options);
  const summary = summarize(table, beginning, target);
  if (options.json) {
    print(toJson(summary, 2));
    return;
  }
  const { renderSummary } = await import('./inspectText.js');
  const { displayOf } = await import('./terminal.js');
  const display = await displayOf(process.stdout, options.color);
  // What no terminal shows is not cut to its width.
  print(
    renderSummary(summary, {
      ...display,
      width: process.stdout.isTTY ? display.width : Number.POSITIVE_INFINITY,
    }),
  );
  for (const { text } of summary.warnings) warn(text);
}
