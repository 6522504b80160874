/** mlp evaluate: what a trained network is worth on rows whose targets are known. */
import { Command, Option } from 'commander';
import { ExitCode, MlpError } from '../errors.js';
import { printable } from '../text.js';
import type { FileOptions } from './evaluateFile.js';
import type { SideOptions } from './evaluateSide.js';
import type { Evaluated } from './scoring.js';
import { addSeparatorOptions, requireSeparators } from './tableOptions.js';

type EvaluateOptions = FileOptions & SideOptions;

export function evaluateCommand(): Command {
  const command = new Command('evaluate')
    .description("score a trained network on a CSV file, or on its own run's held-out rows")
    .argument('<run>', 'the directory of a run, or a model file')
    .argument('[data.csv]', 'a CSV file with the target, plain or gzipped, or - for standard input')
    .addOption(
      new Option(
        '--split <side>',
        "which of the run's own rows to score (default: its test rows, else its validation rows, else its training rows)",
      ).choices(['train', 'validation', 'test']),
    );
  return addSeparatorOptions(command).action(run);
}

async function run(path: string, data: string | undefined, options: EvaluateOptions): Promise<void> {
  const { print, toJson } = await import('./output.js');
  const evaluated = await evaluate(path, data, options);
  if (options.json) {
    print(toJson(document(evaluated), 2));
    return;
  }
  const { renderEvaluation } = await import('./evaluateText.js');
  const { displayOf } = await import('./terminal.js');
  print(renderEvaluation(evaluated, await displayOf(process.stdout, options.color)));
}

async function evaluate(
  path: string,
  data: string | undefined,
  options: EvaluateOptions,
): Promise<Evaluated> {
  const { split, delimiter, comment } = options;
  requireSeparators(options);
  if (data !== undefined) {
    if (split !== undefined) {
      throw new MlpError(
        ExitCode.usage,
        `--split: found ${split} beside the data ${printable(data)}, all rows of which are scored`,
        "leave out the data to score the run's own rows",
      );
    }
    const { evaluateFile } = await import('./evaluateFile.js');
    return evaluateFile(path, data, options);
  }
  if (delimiter !== undefined || comment !== undefined) {
    throw new MlpError(
      ExitCode.usage,
      `${delimiter !== undefined ? '--delimiter' : '--comment'}: found no data beside it, expected a CSV`,
      "the run's own rows are read as its config says",
    );
  }
  const { evaluateSide } = await import('./evaluateSide.js');
  return evaluateSide(path, options);
}

/** What --json prints. */
function document({ model, data, side, weighted, result }: Evaluated): Record<string, unknown> {
  const head = {
    model: model.path,
    data: data.path,
    ...(side !== undefined && { split: side }),
    rows: data.rows,
    task: model.task,
    loss: model.loss,
    weighted,
  };
  if (!('confusion' in result)) {
    const { loss, r2, rmse, mae, targets } = result;
    return {
      ...head,
      metrics: { loss, r2, rmse, mae },
      targets: targets.map((errors, j) => ({ name: model.targets[j], ...errors })),
    };
  }
  const { loss, accuracy, logLoss, rocAuc, macro, weighted: byRows, micro, classes, confusion } = result;
  return {
    ...head,
    metrics: { loss, accuracy, logLoss, rocAuc },
    averages: { macro, weighted: byRows, micro },
    classes: classes.map((scores, j) => ({ name: model.classes?.[j], ...scores })),
    confusion,
  };
}
