/**
 * What a run starts from with `training.from`: weights and encodings of another run's model, or of
 * its last checkpoint if it ended without one.
 */
import { basename, join, relative, sep } from 'node:path';
import { sourcePath } from '../data/source/source.js';
import { ExitCode, MlpError } from '../errors.js';
import { exists } from '../files/mounts.js';
import { RUN_FILES, statOf } from '../files/runFiles.js';
import type { FloatArray } from '../kernels/kernels.js';
import { encodeLoaded, loadModel, type Model, requireSound } from '../model/load.js';
import { checkContent } from '../model/metadata.js';
import type { EncodedModel } from '../model/model.js';
import { parameterLayout, statisticsLayout } from '../network/parameters.js';
import type { LayerSpec } from '../spec/layerSpec.js';
import type { LoadedTrainConfig } from '../spec/loadConfig.js';
import type { NetworkSpec } from '../spec/networkSpec.js';
import { printable, showIfAny } from '../text.js';
import type { TrainingPlan } from './plan.js';
import type { StartingPoint } from './run/provenance.js';
import { RunRecord } from './run/record.js';
import { firstDifference } from './run/resume.js';
import type { SavedRun } from './run/state.js';

export interface Start {
  readonly model: Model;
  /** The model file that the run keeps. */
  readonly file: EncodedModel;
  readonly origin: StartingPoint;
}

/** The config of a run that starts from the run or the model file at `from`. */
export function withStart(loaded: LoadedTrainConfig, from: string): LoadedTrainConfig {
  const { config } = loaded;
  return { ...loaded, config: { ...config, training: { ...config.training, from } } };
}

/**
 * Loads what a config starts from; undefined if it draws its weights.
 * @param tell is given sentences about it
 * @throws MlpError ExitCode.noInput if there is neither a model nor a checkpoint; data for damage, or
 * a model of an earlier version that reads cells in another way; noPermission or io
 */
export async function loadStart(
  { config, directory }: LoadedTrainConfig,
  tell: (sentence: string) => void = () => {},
): Promise<Start | undefined> {
  const { from } = config.training;
  if (from === undefined) return undefined;
  const path = sourcePath(from, directory);
  const model = hasOnlyCheckpoints(path) ? await loadCheckpoint(path, tell) : loadModel(path);
  for (const sentence of model.notes ?? []) tell(sentence);
  if (!model.missingValues) {
    throw new MlpError(
      ExitCode.data,
      `${model.path}: found a model of an earlier version, which reads missing cells and numbers of classes in another way, expected one of this version`,
      'train it anew with this version',
    );
  }
  tell(`starting from the weights and encodings of ${model.path}`);
  const file = encodeLoaded(model);
  const origin = {
    path: relative('', path).split(sep).join('/'),
    // The copy that a run keeps is known by its own, whatever version wrote it.
    checksum: (basename(path) === RUN_FILES.initial && model.checksum) || file.checksum,
    weightsSha256: file.sha256,
  };
  return { model, file, origin };
}

function hasOnlyCheckpoints(path: string): boolean {
  const isDirectory = statOf(path)?.isDirectory() === true;
  return isDirectory && !exists(join(path, RUN_FILES.model)) && exists(join(path, RUN_FILES.checkpoints));
}

/** The best weights so far in the last sound checkpoint of a run, or its last ones. */
async function loadCheckpoint(run: string, tell: (sentence: string) => void): Promise<Model> {
  const state = await new RunRecord(run).load(tell);
  const path = printable(join(run, RUN_FILES.checkpoints));
  if (!state) {
    throw new MlpError(
      ExitCode.noInput,
      `${path}: found no checkpoint, expected one, or a ${RUN_FILES.model} in ${printable(run)}`,
      'name a run that has trained for at least an epoch',
    );
  }
  if (state.model === undefined) {
    throw new MlpError(
      ExitCode.data,
      `${path}: found a checkpoint without encodings, as earlier versions wrote it, expected one with them`,
      'resume the run with mlp train --resume: it then writes its model',
    );
  }
  const which = state.best ? 'best' : 'last';
  tell(`${printable(run)} has no model: taking the ${which} weights of its last checkpoint`);
  return modelOf(state, path);
}

/** A stranger can write a checkpoint, so its model is checked like a model file. */
function modelOf({ model, best, engine }: SavedRun, path: string): Model {
  const content = checkContent(model, path, ['model']);
  const { network } = content;
  const blocks = best ?? {
    parameters: engine.tensors.get('parameters'),
    statistics: engine.tensors.get('statistics'),
  };
  const tensors = new Map<string, FloatArray>();
  for (const [block, { shapes, total }] of [
    [blocks.parameters, parameterLayout(network, network.input)],
    [blocks.statistics, statisticsLayout(network, network.input)],
  ] as const) {
    const isWhole = block instanceof Float32Array || block instanceof Float64Array;
    if (!isWhole || block.length !== total) {
      throw new MlpError(
        ExitCode.data,
        `${path}: found ${block?.length ?? 'no'} numbers, expected the ${total} of its network`,
      );
    }
    for (const shape of shapes) {
      const size = ('rows' in shape ? shape.rows : 1) * shape.columns;
      const data = block.subarray(shape.start, shape.start + size) as FloatArray;
      requireSound(shape.name, data, path);
      tensors.set(shape.name, data);
    }
  }
  const dtype = blocks.parameters instanceof Float64Array ? 'float64' : 'float32';
  return { ...content, path, dtype, tensors };
}

/**
 * Checks that the network of a run is that of the model it starts from.
 * @throws MlpError ExitCode.config with the first difference
 */
export function requireSameNetwork(
  { config, where }: LoadedTrainConfig,
  { network, inputs }: TrainingPlan,
  { model }: Start,
): void {
  const found = functionOf({ ...network, input: inputs });
  const difference = firstDifference(found, functionOf(model.network), []);
  if (difference) {
    const { path, found, expected } = difference;
    throw new MlpError(
      ExitCode.config,
      `${where(['network', ...path])}: found ${showIfAny(found)}, expected ${showIfAny(expected)} as in ${model.path}`,
      'a run that starts from another has its network; only rates of dropout, momentum and how weights start may differ',
    );
  }
  if (model.dtype === 'float64' && config.dtype === 'float32') {
    throw new MlpError(
      ExitCode.config,
      `${where(['dtype'])}: found "float32", expected "float64" as in ${model.path}: its weights would be rounded`,
      'set "dtype" to "float64"; a model in float32 can be continued in either',
    );
  }
}

/** A network without what only training uses. */
function functionOf(network: NetworkSpec): unknown {
  return { members: 1, ...network, layers: network.layers.map(layerFunction) };
}

function layerFunction(layer: LayerSpec): object {
  if (layer.type === 'residual') return { ...layer, layers: layer.layers.map(layerFunction) };
  const ofTraining = ['init', 'biasInit', 'std', ...(layer.type === 'dropout' ? ['rate'] : []), 'momentum'];
  return Object.fromEntries(Object.entries(layer).filter(([key]) => !ofTraining.includes(key)));
}
