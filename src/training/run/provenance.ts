/** What the bits of a run depend on besides its config. */
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import type { DataFile } from '../../data/source/storedFile.js';
import { detectFeatures } from '../../kernels/wasm/loader.js';
import { isObject } from '../../spec/json.js';
import type { Path } from '../../spec/messages.js';
import { MAX_THREADS } from '../../spec/words.js';
import type { BackendChoice } from '../engine/backend.js';

/** Plain data that survives JSON. On disk it is called origin. */
export interface Provenance {
  readonly version: string;
  readonly node: string;
  readonly backend: BackendChoice['backend'];
  readonly relaxed: boolean;
  readonly threads: number;
  /** The processes, or parts of one, that batches were divided over; missing for one. */
  readonly ranks?: number;
  /** Set if the library of MPI has summed over the ranks, in an order of its own. */
  readonly allreduce?: true;
  /** Name and size of a BLAS's file: they identify it without revealing the machine's folders. */
  readonly library?: string;
  readonly data: readonly DataFile[];
  /** What the run started from, if it did not draw its weights. */
  readonly from?: StartingPoint;
}

/** A run or a model file. */
export interface StartingPoint {
  readonly path: string;
  /** Of all that the copy means which the run keeps of its model: the file holds it, too. */
  readonly checksum: string;
  /** As in the source's own run.json. */
  readonly weightsSha256: string;
}

export function provenanceOf(
  versions: Pick<Provenance, 'version' | 'node'>,
  choice: BackendChoice,
  {
    threads,
    ranks,
    allreduce = false,
  }: { readonly threads: number; readonly ranks: number; readonly allreduce?: boolean },
  data: readonly DataFile[],
  from?: StartingPoint,
): Provenance {
  const relaxed = choice.backend !== 'reference' && choice.relaxed && detectFeatures().relaxedSimd;
  const library = choice.backend === 'blas' && choice.library !== undefined && describeFile(choice.library);
  return {
    ...versions,
    backend: choice.backend,
    relaxed,
    threads,
    ...(ranks > 1 && { ranks }),
    ...(allreduce && { allreduce }),
    ...(library && { library }),
    data,
    ...(from && { from }),
  };
}

/** The path of the first value in JSON that is no provenance; undefined if it is one. */
export function firstWrong(value: unknown): Path | undefined {
  if (!isObject(value)) return [];
  const { threads, ranks, relaxed, library, data, from } = value;
  const text = ['version', 'node', 'backend'].find((key) => typeof value[key] !== 'string');
  if (text !== undefined) return [text];
  if (!Number.isSafeInteger(threads) || (threads as number) < 1 || (threads as number) > MAX_THREADS)
    return ['threads'];
  if (ranks !== undefined && !(Number.isSafeInteger(ranks) && (ranks as number) > 1)) return ['ranks'];
  if (typeof relaxed !== 'boolean') return ['relaxed'];
  if (!isTextOrAbsent(library)) return ['library'];
  if (!Array.isArray(data)) return ['data'];
  const file = data.findIndex((file) => !isDataFile(file));
  if (file >= 0) return ['data', file];
  return from === undefined || isStartingPoint(from) ? undefined : ['from'];
}

export function isDataFile(value: unknown): value is DataFile {
  return (
    isObject(value) &&
    typeof value.key === 'string' &&
    typeof value.path === 'string' &&
    isTextOrAbsent(value.sha256)
  );
}

function isStartingPoint(value: unknown): boolean {
  const keys: readonly (keyof StartingPoint)[] = ['path', 'checksum', 'weightsSha256'];
  return isObject(value) && keys.every((key) => typeof value[key] === 'string');
}

function isTextOrAbsent(value: unknown): boolean {
  return value === undefined || typeof value === 'string';
}

function describeFile(path: string): string {
  return `${basename(path)} of ${statSync(path).size} bytes`;
}

export interface Difference {
  /** `config`, `data.train`, `backend`, `threads`, `version`, `node`, `weights` */
  readonly what: string;
  readonly found: string;
  readonly expected: string;
}

/** The first data file in which two runs differ; undefined if all are the same. */
export function dataDifference(
  found: readonly DataFile[],
  expected: readonly DataFile[],
): Difference | undefined {
  const numberOf = (file: DataFile, files: readonly DataFile[]) =>
    files.filter(({ key }) => key === file.key).indexOf(file);
  for (const file of expected) {
    const { key, sha256 } = file;
    const other = found.filter((file) => file.key === key)[numberOf(file, expected)];
    if (other?.sha256 !== undefined && other.sha256 === sha256) continue;
    return { what: key, found: described(other), expected: hashOf(sha256) };
  }
  const more = found.find(
    (file) => numberOf(file, found) >= expected.filter(({ key }) => key === file.key).length,
  );
  return more && { what: more.key, found: described(more), expected: 'no more files' };
}

/** How what two runs started from differs; undefined if it is the same. */
export function startDifference(found: Provenance, expected: Provenance): Difference | undefined {
  if (found.from?.checksum === expected.from?.checksum) return undefined;
  const shown = (from: StartingPoint | undefined) =>
    from ? `a model of checksum ${from.checksum}` : 'no model to start from';
  return { what: 'training.from', found: shown(found.from), expected: shown(expected.from) };
}

function described(file: DataFile | undefined): string {
  return file ? `${file.path} with ${hashOf(file.sha256)}` : 'no file';
}

function hashOf(sha256: string | undefined): string {
  return sha256 === undefined
    ? 'no hash, because standard input and pipes can be read only once'
    : `SHA-256 ${sha256}`;
}

/** How the ranks of two runs differ: sums over slices of a batch round by their number. */
export function ranksDifference(found: Provenance, expected: Provenance): Difference | undefined {
  const inWords = ({ ranks = 1, allreduce }: Provenance) => `${ranks}${allreduce ? ' with --allreduce' : ''}`;
  const [now, then] = [inWords(found), inWords(expected)];
  return now === then ? undefined : { what: 'ranks', found: now, expected: then };
}

/** The kernels in words, with all that changes how they round but the threads of a BLAS. */
export function kernelsOf({
  backend,
  relaxed,
  library,
}: Pick<Provenance, 'backend' | 'relaxed' | 'library'>): string {
  return backend + (library ? ` (${library})` : '') + (relaxed ? ' with relaxed SIMD' : '');
}

/**
 * How the kernels of two runs differ, if they round differently: threads matter only for a BLAS,
 * the machine only for a BLAS or relaxed SIMD.
 */
export function kernelsDifference(found: Provenance, expected: Provenance): Difference | undefined {
  if (kernelsOf(found) !== kernelsOf(expected)) {
    return { what: 'backend', found: kernelsOf(found), expected: kernelsOf(expected) };
  }
  if (expected.backend === 'blas' && found.threads !== expected.threads) {
    return { what: 'threads', found: String(found.threads), expected: String(expected.threads) };
  }
  return undefined;
}
