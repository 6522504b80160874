/** mlp repro: trains a run again, in memory alone, and says whether it comes to the same weights. */

import { fingerprintData } from '../data/source/source.js';
import { ExitCode, MlpError } from '../errors.js';
import { encodeModel, modelTensors } from '../model/model.js';
import { loadTrainConfig } from '../spec/load.js';
import { printable } from '../text.js';
import { Team } from '../training/engine/team.js';
import { runTraining } from '../training/loop.js';
import { modelContent } from '../training/plan.js';
import { type Difference, dataDifference, kernelsDifference } from '../training/run/provenance.js';
import {
  hashConfig,
  type RunSummary,
  readSummary,
  requireEnded,
  StepComparison,
  weightsDifference,
} from '../training/run/summary.js';
import { Interruption } from './interruption.js';
import type { CommonOptions } from './options.js';
import { originOf } from './origin.js';
import { print, toJson } from './output.js';
import { type Prepared, prepareRun } from './prepare.js';
import { createReporter } from './trainReport.js';

/** What came of it: the first thing that differs, and the weights where it came to training. */
interface Outcome {
  readonly difference?: Difference | undefined;
  readonly weightsSha256?: string;
}

export async function run(run: string, options: CommonOptions): Promise<void> {
  const summary = readSummary(run);
  requireEnded(summary, run);
  const outcome = await compare(run, summary, options);
  if (outcome === undefined) return;
  const { difference, weightsSha256 } = outcome;
  if (options.json) {
    print(toJson({ equal: !difference, difference, expected: summary.weightsSha256, found: weightsSha256 }));
  } else if (difference) {
    const { what, found, expected } = difference;
    print(`differs in ${what}: found ${printable(found)}, expected ${printable(expected)}`);
  } else {
    print(`the same weights, bit for bit: SHA-256 ${weightsSha256}`);
  }
  if (difference) process.exitCode = ExitCode.checkFailed;
}

/** Undefined where it was interrupted. */
async function compare(run: string, then: RunSummary, options: CommonOptions): Promise<Outcome | undefined> {
  const configSha256 = hashConfig(run);
  if (configSha256 !== then.configSha256) {
    return { difference: { what: 'config', found: configSha256, expected: then.configSha256 } };
  }
  const loaded = loadTrainConfig(`${run}/config.json`, kernelsOf(then));
  const data = dataDifference(await fingerprintData(loaded.config.data, loaded.directory), then.data);
  if (data) return { difference: data };
  const prepared = await unlessUnavailable(() => prepareRun(loaded, options));
  if (prepared === undefined) {
    return { difference: { what: 'backend', found: 'none of that name', expected: then.backend } };
  }
  const origin = await originOf(prepared);
  const kernels = kernelsDifference(origin, then);
  if (kernels) return { difference: kernels };
  const steps = new StepComparison(run);
  const weightsSha256 = await train(run, prepared, steps, options);
  if (weightsSha256 === undefined) return undefined;
  return { difference: weightsDifference({ provenance: origin, weightsSha256 }, then, steps), weightsSha256 };
}

/** Trains without a directory. The hash of the weights; undefined where it was interrupted. */
async function train(
  run: string,
  prepared: Prepared,
  steps: StepComparison,
  options: CommonOptions,
): Promise<string | undefined> {
  const { config, plan, dataset } = prepared;
  const engine = await Team.start(prepared, dataset);
  const reporter = options.json
    ? undefined
    : await createReporter(options, { config, plan, dataset, engine, run });
  const interruption = new Interruption('finishing the step', () => reporter?.finish());
  try {
    reporter?.start();
    const listener = { ...reporter, stepsDone: steps.compare };
    const { signal } = interruption;
    const { status } = await runTraining(engine, listener, { signal });
    if (status === 'interrupted') {
      process.exitCode = interruption.exitCode;
      return undefined;
    }
    return encodeModel(modelContent(plan, dataset), modelTensors(engine.parameters, engine.statistics))
      .sha256;
  } finally {
    reporter?.finish();
    interruption.release();
    await engine.close();
  }
}

/** The same kernels and threads, whatever "auto" would choose here. */
function kernelsOf({ backend, relaxed, threads }: RunSummary): string[] {
  const deterministic = backend === 'wasm' && !relaxed;
  return [`backend="${backend}"`, `threads=${threads}`, `deterministic=${deterministic}`];
}

async function unlessUnavailable<Result>(make: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await make();
  } catch (error) {
    if (error instanceof MlpError && error.exitCode === ExitCode.unavailable) return undefined;
    throw error;
  }
}
