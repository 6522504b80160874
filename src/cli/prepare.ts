/** From a config to all that a run is made of: for the commands that train. */

import { availableParallelism } from 'node:os';
import type { Dataset } from '../data/dataset/dataset.js';
import { loadDataset } from '../data/dataset/loadDataset.js';
import { thisMachine } from '../kernels/blas/find.js';
import type { LoadedTrainConfig } from '../spec/load.js';
import { printable } from '../text.js';
import type { RunSetup } from '../training/engine/allocate.js';
import { chooseBackend, chooseThreads } from '../training/engine/backend.js';
import { planTraining } from '../training/plan.js';
import type { CommonOptions } from './options.js';
import { note, warn } from './output.js';
import { withReadingProgress } from './reading.js';

export interface Prepared extends RunSetup {
  readonly loaded: LoadedTrainConfig;
  readonly dataset: Dataset;
}

/** Reads the data and makes the choices; tells on stderr what is to be known of them. */
export async function prepareRun(loaded: LoadedTrainConfig, options: CommonOptions): Promise<Prepared> {
  const { config, directory, path } = loaded;
  const dataset = await withReadingProgress(options, (progress) =>
    loadDataset(config, directory, path, { progress }),
  );
  if (!options.json) note(printable(dataset.description));
  const plan = planTraining(loaded, dataset);
  for (const warning of plan.warnings) warn(warning);
  const choice = chooseBackend(config, plan, thisMachine());
  if (choice.note) note(choice.note);
  const threads = chooseThreads(config.threads, choice, plan, availableParallelism());
  return { loaded, dataset, config, plan, choice, threads };
}
