/** Checks that resuming a run will end in the same bits as if it had never stopped. */
import { ExitCode, MlpError } from '../../errors.js';
import { isContainer } from '../../spec/json.js';
import { formatPath, type Where } from '../../spec/messages.js';
import type { TrainConfig } from '../../spec/trainConfig.js';
import { printable, showIfAny } from '../../text.js';
import type { RunProgress } from '../loop.js';
import type { TrainingPlan } from '../plan.js';
import {
  dataDifference,
  kernelsDifference,
  type Provenance,
  ranksDifference,
  startDifference,
} from './provenance.js';

/** Checked by other means: kernels by the choice that was made, files by their hashes. */
const COMPARED_ELSEWHERE = ['$schema', 'backend', 'threads', 'deterministic'];

/**
 * @param config checked, or as it was written: without what it leaves to the defaults
 * @param mayExtend whether the run may become longer
 * @throws MlpError ExitCode.config with the first setting that differs from the run's
 */
export function requireSameConfig(
  config: TrainConfig,
  ofRun: TrainConfig,
  { where, run, mayExtend }: { where: Where; run: string; mayExtend: boolean },
): void {
  const difference = firstDifference(comparable(config, mayExtend), comparable(ofRun, mayExtend), []);
  if (difference === undefined) return;
  const { path, found, expected } = difference;
  const key = formatPath(path);
  const isLength = key === 'training.epochs' || key === 'training.steps';
  throw new MlpError(
    ExitCode.config,
    `${where(path)}: found ${showIfAny(found)}, expected ${showIfAny(expected)} as in ${run}`,
    isLength
      ? 'train for longer with --extend'
      : `resume with the config of the run, ${run}, or start a new run without --resume`,
  );
}

/** @throws MlpError ExitCode.config if a plan ends before the step that the run has reached */
export function requireReachable(plan: TrainingPlan, { steps, epochs }: RunProgress, where: Where): void {
  if (plan.steps >= steps) return;
  throw new MlpError(
    ExitCode.config,
    `${where(['training'])}: found ${plan.steps} steps (${plan.epochs} epochs), expected at least the ${steps} (${epochs} epochs) that the run has done`,
    'raise training.epochs or training.steps',
  );
}

/** @throws MlpError ExitCode.data if the data changed, unavailable if the kernels did */
export function requireSameProvenance(now: Provenance, then: Provenance, run: string): void {
  const data = dataDifference(now.data, then.data) ?? startDifference(now, then);
  if (data) {
    throw new MlpError(
      ExitCode.data,
      `${data.what}: found ${printable(data.found)}, expected ${data.expected} as in ${printable(run)}`,
      'restore the file that the run was started with, or start a new run without --resume; a run from standard input cannot be resumed',
    );
  }
  const kernels = kernelsDifference(now, then);
  if (kernels) {
    throw new MlpError(
      ExitCode.unavailable,
      `${kernels.what}: found ${kernels.found}, expected ${kernels.expected} as in ${printable(run)}: the run would not end in the same bits`,
      `resume with --backend ${then.backend} --threads ${then.threads} and Node ${then.node}, on a machine that has them`,
    );
  }
}

/**
 * @param mayExtend whether another number is only said, since the run may end in other bits
 * @throws MlpError ExitCode.config if a run has another number of ranks than before
 */
export function requireSameRanks(
  now: Provenance,
  then: Provenance,
  run: string,
  {
    mayExtend,
    note,
  }: { readonly mayExtend: boolean; readonly note?: ((sentence: string) => void) | undefined },
): void {
  const ranks = ranksDifference(now, then);
  if (!ranks) return;
  const { found, expected } = ranks;
  if (mayExtend) {
    note?.(
      `the run had ${expected} ranks and continues with ${found}: it ends in other bits than with ${expected}`,
    );
    return;
  }
  throw new MlpError(
    ExitCode.config,
    `ranks: found ${found}, expected ${expected} as in ${printable(run)}: the run would not end in the same bits`,
    then.ranks === undefined
      ? 'resume it in one process, or with --extend if other bits are welcome'
      : `resume it with mpirun -n ${then.ranks}${then.allreduce ? ' and --allreduce' : `, in one process with --ranks-simulated ${then.ranks}`}, or with --extend if other bits are welcome`,
  );
}

function comparable(config: TrainConfig, mayExtend: boolean): unknown {
  const { data: whole, training = {} as TrainConfig['training'], ...rest } = config;
  // The bits are the same with a cache and without.
  const { cache: _, ...data } = whole;
  const { epochs, steps, ...others } = training;
  const text = (source: unknown): unknown =>
    Array.isArray(source) ? source.map(text) : typeof source === 'string' ? 'a file' : source;
  const kept = Object.entries(rest).filter(([key]) => !COMPARED_ELSEWHERE.includes(key));
  return {
    ...Object.fromEntries(kept),
    data: { ...data, train: text(data.train), validation: text(data.validation), test: text(data.test) },
    training: { ...(mayExtend ? others : training), ...(training.from && { from: text(training.from) }) },
  };
}

interface Difference {
  readonly path: readonly (string | number)[];
  readonly found: unknown;
  readonly expected: unknown;
}

/** The first path at which two JSON values differ, depth first. */
export function firstDifference(
  found: unknown,
  expected: unknown,
  path: Difference['path'],
): Difference | undefined {
  if (Object.is(found, expected)) return undefined;
  if (!isContainer(found) || !isContainer(expected) || Array.isArray(found) !== Array.isArray(expected)) {
    return { path, found, expected };
  }
  for (const key of new Set([...Object.keys(found), ...Object.keys(expected)])) {
    const step = Array.isArray(found) ? Number(key) : key;
    const difference = firstDifference(found[key], expected[key], [...path, step]);
    if (difference) return difference;
  }
  return undefined;
}
