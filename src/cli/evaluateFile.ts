/** `mlp evaluate` on all rows of a CSV. */
import type { TargetValues } from '../data/dataset/target.js';
import type { Model } from '../model/load.js';
import { printable } from '../text.js';
import { createScorer, type Evaluated, type ExpectedValues } from './scoring.js';
import type { SeparatorOptions } from './tableOptions.js';

export interface FileOptions extends SeparatorOptions {
  json?: boolean;
  color: boolean;
}

/** So many names are in a note. */
const SHOWN_NAMES = 10;

/**
 * Scores the CSV at `path`, `-` being standard input. The features are read chunk by chunk, and none of them is kept.
 * An MlpError where the model or the data can't be read (66, 74, 77) or be trusted (65), or a row has no target (65).
 */
export async function evaluateFile(
  modelPath: string,
  path: string,
  options: FileOptions,
): Promise<Evaluated> {
  const { loadModel } = await import('../model/load.js');
  const { Inference } = await import('../model/inference.js');
  const { note, warn } = await import('./output.js');
  const { withModelRows } = await import('./modelRows.js');
  const { withReadingProgress } = await import('./reading.js');
  const model = loadModel(modelPath);
  const inference = Inference.create(model);
  const scorer = createScorer(model, inference);
  return withReadingProgress(options, (report) =>
    withModelRows({ ...options, model, path, targets: true, report }, async (rows, name) => {
      if (rows.ignored.length > 0 && !options.json) note(ignoredNote(rows.ignored));
      for await (const chunk of rows.chunks(inference)) {
        scorer.add(chunk.rows, chunk.logits, expectedOf(chunk.targets, model));
      }
      for (const warning of rows.warnings()) warn(warning);
      const data = { path: name, rows: rows.rows };
      return { model, data, weighted: false, result: scorer.result() };
    }),
  );
}

/** Targets as the network has them. */
function expectedOf(targets: TargetValues | undefined, { targetStandardization }: Model): ExpectedValues {
  if (targets === undefined) throw new TypeError('targets were asked for');
  if ('labels' in targets) return targets.labels;
  const { values, width } = targets;
  if (targetStandardization === undefined) return values;
  const { mean, scale } = targetStandardization;
  return values.map((value, i) => (value - mean[i % width]) / scale[i % width]);
}

function ignoredNote(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN_NAMES).map((name) => `"${printable(name)}"`);
  const more = names.length > SHOWN_NAMES ? ', …' : '';
  return `columns that the model does not know are ignored: ${shown.join(', ')}${more}`;
}
