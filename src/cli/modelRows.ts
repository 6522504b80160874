/** The rows of a CSV for a model, as the commands open it that take one. */
import type { Model } from '../model/load.js';
import type { ModelRows } from '../model/rows.js';
import type { withReadingProgress } from './reading.js';
import type { SeparatorOptions } from './tableOptions.js';

/** What `withReadingProgress` hands on. */
type Report = Parameters<Parameters<typeof withReadingProgress>[1]>[0];

export interface ModelRowsRequest extends SeparatorOptions {
  readonly model: Model;
  /** `-` is standard input. */
  readonly path: string;
  /** Whether every row has to have its targets. */
  readonly targets: boolean;
  readonly report: Report;
}

/**
 * Opens the CSV, and closes it when `use` is through with its rows; `name` is what messages call it.
 * An MlpError as by `openSource` and `openModelRows`.
 */
export async function withModelRows<Result>(
  { model, path, targets, report, delimiter, comment }: ModelRowsRequest,
  use: (rows: ModelRows, name: string) => Promise<Result>,
): Promise<Result> {
  const { openSource } = await import('../data/source/source.js');
  const { openModelRows } = await import('../model/rows.js');
  const progress = (done: number, total?: number) => report(path, done, total);
  const source = await openSource(path, progress);
  try {
    const rows = await openModelRows(source, model, {
      targets,
      ...(delimiter !== undefined && { delimiter }),
      ...(comment !== undefined && { comment }),
      progress,
    });
    return await use(rows, source.name);
  } finally {
    source.close();
  }
}
