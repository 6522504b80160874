/** mlp train: from a config to a run directory, with progress on the way and curves at the end. */
import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import type { Dataset } from '../data/dataset/dataset.js';
import { ExitCode } from '../errors.js';
import type { LoadedTrainConfig } from '../spec/load.js';
import { printable } from '../text.js';
import type { Engine } from '../training/engine.js';
import type { TrainingPlan } from '../training/plan.js';
import type { EpochRecord } from '../training/run.js';
import type { RunDirectory } from '../training/runDirectory.js';
import { backendName, threadCount } from './options.js';
import { note, warn } from './output.js';
import { withReadingProgress } from './reading.js';

interface TrainOptions {
  set: string[];
  backend?: string;
  threads?: number | 'auto';
  deterministic?: boolean;
  run?: string;
  json?: boolean;
  color: boolean;
}

export function trainCommand(): Command {
  return new Command('train')
    .description('train a network on a CSV file')
    .argument('<config.json>', 'a train config')
    .option('--set <key=value>', 'override a key, as in training.epochs=5; may be repeated', collect, [])
    .option('--backend <name>', 'kernels: auto, reference, wasm, blas', backendName)
    .option('--threads <n>', 'threads: auto, or a number', threadCount)
    .option('--deterministic', 'only kernels that give the same bits on every machine')
    .option('--run <dir>', 'directory of the run (default: runs/<config name>-<n>)')
    .action(run);
}

async function run(path: string, options: TrainOptions): Promise<void> {
  const { loadTrainConfig } = await import('../spec/load.js');
  const { loadDataset } = await import('../data/dataset/loadDataset.js');
  const { planTraining } = await import('../training/plan.js');
  const { chooseBackend, chooseThreads } = await import('../training/backend.js');
  const { Team } = await import('../training/team/team.js');
  const { RunDirectory } = await import('../training/runDirectory.js');
  const { thisMachine } = await import('./machine.js');

  const loaded = loadTrainConfig(path, overridesOf(options));
  const { config, directory } = loaded;
  const dataset = await withReadingProgress(options, (progress) =>
    loadDataset(config, directory, path, { progress }),
  );
  if (!options.json) note(printable(dataset.description));
  const plan = planTraining(loaded, dataset);
  for (const warning of plan.warnings) warn(warning);
  const choice = chooseBackend(config, plan, thisMachine());
  if (choice.note) note(choice.note);
  const threads = chooseThreads(config.threads, choice, plan, availableParallelism());
  const engine = await Team.start({ config, plan, choice, threads }, dataset);
  try {
    const runDirectory = await RunDirectory.create(options.run, config, path, directory);
    await trainInto(runDirectory, engine, { loaded, dataset, plan }, options);
  } finally {
    await engine.close();
  }
}

/** What a run is about, beside the engine that takes its steps. */
interface Subject {
  readonly loaded: LoadedTrainConfig;
  readonly dataset: Dataset;
  readonly plan: TrainingPlan;
}

/** Trains to the end, or to an interruption, and fills the run directory; on an error takes it away. */
async function trainInto(
  runDirectory: RunDirectory,
  engine: Engine,
  { loaded: { config }, dataset, plan }: Subject,
  options: TrainOptions,
): Promise<void> {
  const { runTraining } = await import('../training/run.js');
  const { encodeModel, modelTensors } = await import('../model/model.js');
  const { modelContent } = await import('../training/modelContent.js');
  const { createReporter } = await import('./trainReport.js');
  const reporter = await createReporter(options, { config, plan, dataset, engine, run: runDirectory.path });
  const interruption = new Interruption(reporter.finish);
  try {
    reporter.start();
    const listener = {
      epochStarted: reporter.epochStarted,
      progress: reporter.progress,
      async epochDone(record: EpochRecord) {
        await runDirectory.writeEpoch(record);
        reporter.epochDone(record);
      },
    };
    const result = await runTraining(engine, config, plan, listener, interruption.signal);
    const model = encodeModel(modelContent(plan, dataset), modelTensors(engine.parameters));
    await runDirectory.writeModel(model);
    await runDirectory.close();
    reporter.finish();
    reporter.end(result, model.sha256);
    if (result.status === 'interrupted') process.exitCode = interruption.exitCode;
  } catch (error) {
    await runDirectory.discard();
    throw error;
  } finally {
    reporter.finish();
    interruption.release();
  }
}

/** The overrides of --set, with those of the options that are short for one. */
function overridesOf({ set, backend, threads, deterministic }: TrainOptions): string[] {
  return [
    ...set,
    ...(backend === undefined ? [] : [`backend=${JSON.stringify(backend)}`]),
    ...(threads === undefined ? [] : [`threads=${JSON.stringify(threads)}`]),
    ...(deterministic ? ['deterministic=true'] : []),
  ];
}

function collect(value: string, values: readonly string[]): string[] {
  return [...values, value];
}

/** Ctrl-C or a request to terminate: once, the step is finished and all is saved; twice, out at once. */
class Interruption {
  readonly #controller = new AbortController();
  exitCode: ExitCode = ExitCode.ok;

  /** @param clearProgress takes the progress bar away, and shows the cursor again */
  constructor(private readonly clearProgress: () => void) {
    process.on('SIGINT', this.#interrupt);
    process.on('SIGTERM', this.#terminate);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  release(): void {
    process.off('SIGINT', this.#interrupt);
    process.off('SIGTERM', this.#terminate);
  }

  #interrupt = () => this.#stop(ExitCode.interrupted);
  #terminate = () => this.#stop(ExitCode.terminated);

  #stop(exitCode: ExitCode): void {
    this.exitCode = exitCode;
    this.clearProgress();
    if (this.signal.aborted) process.exit(exitCode);
    this.#controller.abort();
    note('finishing the step, then saving; again to stop at once');
  }
}
