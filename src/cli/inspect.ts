/** mlp inspect: what a CSV contains, and what to look at before training. */
import { profileTable } from '../data/profile/profile.js';
import { renderProfile } from './inspectText.js';
import { print, toJson, warn } from './output.js';
import { readTable, type TableOptions } from './reading.js';
import { displayOf } from './terminal.js';

export async function run(path: string, options: TableOptions): Promise<void> {
  const { table, dialect, target } = await readTable(path, options);
  const summary = profileTable(table, dialect, target);
  if (options.json) {
    print(toJson(summary, 2));
    return;
  }
  const display = await displayOf(process.stdout, options.color);
  // Only a terminal limits the width.
  const width = process.stdout.isTTY ? display.width : Number.POSITIVE_INFINITY;
  print(renderProfile(summary, { ...display, width }));
  for (const { text } of summary.warnings) warn(text);
}
