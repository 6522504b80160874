/** mlp init --sweep: a sweep for a train config. */
import { basename, dirname, extname, join, relative, resolve, sep } from 'node:path';
import { loadDataset } from '../data/dataset/loadDataset.js';
import { ExitCode, MlpError } from '../errors.js';
import { requireFree, requireOther } from '../files/outputFile.js';
import { loadTrainConfig } from '../spec/loadConfig.js';
import { buildsNetwork } from '../spec/preset.js';
import { suggestSweep } from '../sweep/suggestSweep.js';
import { completeFor } from '../training/plan.js';
import { schemaPath, writeDocument } from './initOutput.js';
import type { CommonOptions } from './options.js';
import { STANDARD_STREAM } from './reading.js';

interface InitSweepOptions extends CommonOptions {
  readonly target?: string;
  readonly output?: string;
  readonly force?: boolean;
}

export async function writeSweep(paths: readonly string[], options: InitSweepOptions): Promise<void> {
  const [path] = paths;
  if (paths.length > 1 || options.target !== undefined) {
    const found = paths.length > 1 ? `${paths.length} files` : '--target';
    throw new MlpError(
      ExitCode.usage,
      `--sweep: found ${found}, expected one train config and nothing else`,
      'write the config first: mlp init data.csv --target column',
    );
  }
  const output = options.output ?? join(dirname(path), `${basename(path, extname(path))}-sweep.json`);
  const isFile = output !== STANDARD_STREAM;
  if (isFile) {
    requireOther(path, output);
    requireFree(output, options.force === true);
  }
  const loaded = loadTrainConfig(path);
  // The task and the width of the network are known from the data alone.
  const dataset = await loadDataset(loaded.config, loaded.directory, loaded.where);
  const folder = isFile ? dirname(resolve(output)) : process.cwd();
  const { sweep, reasons } = suggestSweep(completeFor(loaded, dataset).config, {
    task: dataset.task,
    hasRecipe: buildsNetwork(loaded.written),
    base: relative(folder, resolve(path)).split(sep).join('/'),
  });
  const schema = schemaPath(folder, 'sweep.schema.json');
  const document = { ...(schema && { $schema: schema }), ...sweep };
  writeDocument({ sweep: document }, { output, reasons, next: (file) => `mlp sweep ${file}` }, options);
}
