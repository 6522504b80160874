/** Reads a model file, which may come from anywhere: everything is checked before it is used. */
import { basename, dirname, join } from 'node:path';
import { ExitCode, MlpError, missingFile } from '../errors.js';
import { RUN_FILES, statOf } from '../files/runFiles.js';
import { ArenaPlan } from '../kernels/arena.js';
import type { DType, FloatArray } from '../kernels/kernels.js';
import { referenceKernels } from '../kernels/reference/index.js';
import { Network } from '../network/network.js';
import { isObject, readJson } from '../spec/json.js';
import { printable, quote, showValue } from '../text.js';
import { decodeMetadata, verifyChecksum } from './metadata.js';
import { CHECKSUM, type EncodedModel, encodeModel, type ModelContent, modelTensors } from './model.js';
import { openSafetensors, type SafetensorsFile } from './safetensors/decode.js';
import type { Dtype } from './safetensors/dtype.js';
import { hashTensors, type NamedTensor } from './safetensors/encode.js';
import { tensorPlace } from './safetensors/header.js';

export interface Model extends ModelContent {
  /** The file, as messages name it. */
  readonly path: string;
  readonly dtype: DType;
  /** By name, as `modelTensors` lists them; row-major and finite. */
  readonly tensors: ReadonlyMap<string, FloatArray>;
  /** SHA-256 of all that the file means; files of earlier versions have none. */
  readonly checksum?: string;
  /** Sentences for the user: why damage may go unnoticed. */
  readonly notes?: readonly string[];
}

/** A model but for its network: how rows are read, and what predictions mean. */
export type ReadingModel = Omit<Model, 'network' | 'tensors'>;

const DTYPES: Partial<Record<Dtype, DType>> = { F32: 'float32', F64: 'float64' };

/**
 * Reads the model of a run, by the run's directory or by the file itself. Nothing larger than the
 * file is allocated. A file without a checksum is compared with the run.json beside it.
 * @throws MlpError ExitCode.noInput if there is no model, data if the file is no model or damaged,
 * noPermission or io if it can't be read
 */
export function loadModel(path: string): Model {
  const found = modelPath(path);
  const name = printable(found);
  const file = openSafetensors(found);
  try {
    const content = decodeMetadata(file.metadata, name);
    const dtype = requireTensors(file, name, content);
    const model: Model = { ...content, path: name, dtype, tensors: readTensors(file, name) };
    // What a run started from is not what it has learned.
    const isInitial = basename(found) === RUN_FILES.initial;
    const notes = verify(model, file.metadata, isInitial ? undefined : weightsOfRun(dirname(found)));
    const checksum = file.metadata.get(CHECKSUM);
    return { ...model, ...(checksum && { checksum }), ...(notes.length > 0 && { notes }) };
  } finally {
    file.close();
  }
}

/** SHA-256 of a model's weights, as in run.json. */
export function hashWeights(model: Model): string {
  const names = networkTensors(model).map(({ name }) => name);
  return hashTensors(names.map((name) => model.tensors.get(name) as FloatArray));
}

/**
 * @param ofRun the weights of the run that the file lies in
 * @throws MlpError ExitCode.data if the file is damaged
 */
function verify(model: Model, metadata: SafetensorsFile['metadata'], ofRun: string | undefined): string[] {
  const { path, dtype } = model;
  const weightsSha256 = hashWeights(model);
  const hasChecksum = verifyChecksum(metadata, { dtype, weightsSha256 }, path);
  const isOfRun = ofRun === undefined || ofRun === weightsSha256;
  if (!hasChecksum && !isOfRun) {
    throw damage(
      path,
      `found weights of SHA-256 ${weightsSha256}, expected ${ofRun} as in ${RUN_FILES.summary}`,
    );
  }
  const notes: string[] = [];
  if (!hasChecksum)
    notes.push(`${path}: an earlier version wrote it without a checksum, so damage may go unnoticed`);
  if (!isOfRun) notes.push(`${path}: its weights are not those that ${RUN_FILES.summary} beside it tells of`);
  return notes;
}

/** The hash of the weights in a folder's run.json; undefined if there is none of a run. */
function weightsOfRun(folder: string): string | undefined {
  try {
    const summary = readJson(join(folder, RUN_FILES.summary)).value;
    const hash = isObject(summary) ? summary.weightsSha256 : undefined;
    return typeof hash === 'string' ? printable(hash) : undefined;
  } catch (error) {
    if (error instanceof MlpError) return undefined;
    throw error;
  }
}

function modelPath(path: string): string {
  const found = statOf(path);
  if (found === undefined) {
    throw new MlpError(
      ExitCode.noInput,
      `${printable(path)}: ${path.includes('\ufffd') ? missingFile(path) : 'found nothing there, expected a run directory or a model file'}`,
      'mlp train prints the run directory at its end',
    );
  }
  if (!found.isDirectory()) return path;
  const file = join(path, RUN_FILES.model);
  if (statOf(file)) return file;
  throw new MlpError(
    ExitCode.noInput,
    `${printable(path)}: found no ${RUN_FILES.model} in the directory, expected the directory of a finished run`,
    statOf(join(path, RUN_FILES.config))
      ? 'the run is unfinished: finish it with mlp train --resume'
      : 'name a directory that mlp train has written',
  );
}

/** Checks that the tensors are exactly the network's, with its shapes. Returns their one type. */
function requireTensors({ tensors }: SafetensorsFile, file: string, content: ModelContent): DType {
  const expected = new Map(networkTensors(content).map(({ name, shape }) => [name, shape]));
  let first: { name: string; dtype: Dtype } | undefined;
  for (const [name, { dtype, shape }] of tensors) {
    const place = tensorPlace(file, name);
    const wanted = expected.get(name);
    if (wanted === undefined) throw damage(place, 'found a tensor that the network does not have');
    if (shape.join() !== wanted.join()) {
      throw damage(place, `found shape ${showValue(shape)}, expected ${showValue(wanted)} by the network`);
    }
    if (DTYPES[dtype] === undefined) throw damage(place, `found dtype ${dtype}, expected F32 or F64`);
    first ??= { name, dtype };
    if (dtype !== first.dtype) {
      throw damage(place, `found dtype ${dtype}, expected ${first.dtype} as of ${quote(first.name)}`);
    }
  }
  for (const name of expected.keys()) {
    if (!tensors.has(name))
      throw damage(file, `found no tensor ${quote(name)}, expected all of the network's`);
  }
  return DTYPES[first?.dtype ?? 'F32'] ?? 'float32';
}

/** The tensors that a model of this content has, without their data. */
export function networkTensors({ network: spec, loss, lossParameters }: ModelContent): NamedTensor[] {
  const options = { inputs: spec.input, loss, lossParameters, l2: 0, capacity: 1, seed: 0 };
  const network = new Network(spec, options, referenceKernels('float32'), new ArenaPlan('float32'));
  return modelTensors(network.parameters, network.statistics);
}

function readTensors(file: SafetensorsFile, path: string): Map<string, FloatArray> {
  return new Map(
    Array.from(file.tensors.keys(), (name) => {
      const data = file.read(name) as FloatArray;
      requireSound(name, data, path);
      return [name, data];
    }),
  );
}

/** @throws MlpError ExitCode.data if a network can't have such numbers */
export function requireSound(name: string, data: FloatArray, path: string): void {
  const least = name.endsWith('.running_var') ? 0 : Number.NEGATIVE_INFINITY;
  const i = data.findIndex((value) => !(Number.isFinite(value) && value >= least));
  if (i < 0) return;
  const expected = least === 0 ? 'finite numbers of at least 0' : 'finite numbers';
  throw damage(tensorPlace(path, name), `found ${data[i]} as element ${i}, expected ${expected}`);
}

/** The file of a loaded model, as this version writes it. */
export function encodeLoaded({
  path: _path,
  dtype: _dtype,
  notes: _notes,
  checksum: _checksum,
  tensors,
  ...content
}: Model): EncodedModel {
  const named = networkTensors(content).map(({ name, shape }) => {
    const data = tensors.get(name);
    if (data === undefined) throw new TypeError(`the model has no tensor ${name}`);
    return { name, shape, data };
  });
  return encodeModel(content, named);
}

function damage(place: string, problem: string): MlpError {
  return new MlpError(ExitCode.data, `${place}: ${problem}`);
}
