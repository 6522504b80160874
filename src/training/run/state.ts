/** A run's state as a checkpoint: tensors, and JSON, which keeps every finite float64 exactly. */
import { ExitCode, MlpError } from '../../errors.js';
import { type EncodedTensors, encodeSafetensors, type NamedTensor } from '../../model/safetensors/encode.js';
import { RandomState, type RandomStateSnapshot } from '../../random/randomState.js';
import { formatPath } from '../../spec/messages.js';
import { printable } from '../../text.js';
import { allFinite } from '../divergence.js';
import type { RunProgress, RunState } from '../loop.js';
import { aCount, aFiniteNumber, readState } from '../savedState.js';
import type { Checkpoint } from './checkpoints.js';
import { firstWrong, type Provenance } from './provenance.js';

/** Raised when a reader of the old layout would be misled. */
const FORMAT_VERSION = '1';

/**
 * The files that grow during a run, at the time of a checkpoint: lengths in bytes, and SHA-256,
 * absent from checkpoints of earlier versions.
 */
export interface LogState {
  readonly steps: number;
  readonly epochs: number;
  readonly stepsSha256?: string;
  readonly epochsSha256?: string;
  /** Absent from checkpoints of earlier versions. */
  readonly layers?: number;
  readonly layersSha256?: string;
}

export interface SavedRun extends RunState {
  readonly origin: Provenance;
  readonly files: LogState;
  /** That of the run, as in its config.json; absent from checkpoints of earlier versions. */
  readonly config?: unknown;
  /** What a model file says besides the weights; absent from checkpoints of earlier versions. */
  readonly model?: unknown;
}

const ENGINE = 'engine.';
/** Of `RunProgress`, what each run has. */
const PROGRESS = {
  epochs: aCount,
  steps: aCount,
  samples: aCount,
  milliseconds: aFiniteNumber,
  epochMilliseconds: aFiniteNumber,
};

/** Encodes a state without copying the engine's tensors. */
export function encodeRun({
  progress,
  engine,
  best,
  origin,
  files,
  config,
  model,
}: SavedRun): EncodedTensors {
  const { history, ...rest } = progress;
  const { steps, random, batches } = engine.trainer;
  const trainer = { steps, random, position: batches.position };
  const tensors: NamedTensor[] = [];
  const add = (name: string, data: NamedTensor['data']) => tensors.push({ name, shape: [data.length], data });
  for (const [name, data] of engine.tensors) add(ENGINE + name, data);
  if (batches.order) add('batches.order', batches.order);
  if (best) {
    add('best.parameters', best.parameters);
    add('best.statistics', best.statistics);
  }
  add('history.train', Float64Array.from(history.train));
  add('history.validation', Float64Array.from(history.validation));
  const json = { progress: rest, trainer, origin, files, config, model };
  const metadata = Object.entries(json).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, JSON.stringify(value)]],
  );
  return encodeSafetensors(tensors, {
    format: 'mlp checkpoint',
    formatVersion: FORMAT_VERSION,
    ...Object.fromEntries(metadata),
  });
}

/**
 * A stranger can write a checksum that fits, so what the run is restored from is checked.
 * @throws MlpError ExitCode.data for another version, or content that no run can have
 */
export function decodeRun(checkpoint: Checkpoint): SavedRun {
  try {
    return decode(checkpoint);
  } catch (error) {
    if (error instanceof MlpError) throw error;
    throw new MlpError(
      ExitCode.data,
      `${checkpoint.path}: found content that mlp train does not write: ${printable((error as Error).message)}`,
      'train anew',
      { cause: error },
    );
  }
}

function decode({ metadata, tensors, path }: Checkpoint): SavedRun {
  const version = metadata.get('formatVersion');
  if (metadata.get('format') !== 'mlp checkpoint' || version !== FORMAT_VERSION) {
    throw new MlpError(
      ExitCode.data,
      `${path}: found a checkpoint of version ${version ?? 'unknown'}, expected ${FORMAT_VERSION}`,
      'resume with the version of mlp that wrote it',
    );
  }
  const json = <Value>(key: string) => JSON.parse(metadata.get(key) ?? 'null') as Value;
  const numbers = (name: string) => [...((tensors.get(name) ?? []) as Float64Array)];
  const { steps, random, position } = json<{ steps: number; random: RandomStateSnapshot; position: number }>(
    'trainer',
  );
  readState('the trainer', { steps, position }, { steps: aCount, position: aCount });
  RandomState.fromState(random);
  const progress = json<Omit<RunProgress, 'history'>>('progress');
  readState('the run', progress, PROGRESS);
  const files = json<LogState>('files');
  readState('the logs', files, { steps: aCount, epochs: aCount });
  if (files.layers !== undefined) readState('the logs', files, { layers: aCount });
  const origin = json<Provenance>('origin');
  const wrong = firstWrong(origin);
  if (wrong) throw new TypeError(formatPath(['origin', ...wrong]));
  for (const name of ['engine.parameters', 'best.parameters']) {
    const data = tensors.get(name) as Float32Array | Float64Array | undefined;
    // A run whose parameters are not finite ends, and saves nothing.
    if (data && !allFinite(data)) throw new TypeError(`${name} are not all finite`);
  }
  const order = tensors.get('batches.order') as Int32Array | undefined;
  const parameters = tensors.get('best.parameters') as Float32Array | Float64Array | undefined;
  const statistics = tensors.get('best.statistics') as Float32Array | Float64Array | undefined;
  const engineTensors = [...tensors].flatMap(([name, data]) =>
    name.startsWith(ENGINE)
      ? [[name.slice(ENGINE.length), data as Float32Array | Float64Array] as const]
      : [],
  );
  return {
    progress: {
      ...progress,
      history: { train: numbers('history.train'), validation: numbers('history.validation') },
    },
    engine: {
      trainer: { steps, random, batches: { position, ...(order && { order }) } },
      tensors: new Map(engineTensors),
    },
    ...(parameters && statistics && { best: { parameters, statistics } }),
    origin,
    files,
    ...(metadata.has('config') && { config: json('config') }),
    ...(metadata.has('model') && { model: json('model') }),
  };
}
