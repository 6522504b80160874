/** What the bits of a run depend on beside its config. */
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import type { DataFile } from '../../data/fingerprint.js';
import { detectFeatures } from '../../kernels/wasm/loader.js';
import type { BackendChoice } from '../engine/backend.js';

/** Plain data, which survives JSON. */
export interface Origin {
  /** Version of mlp. */
  readonly version: string;
  /** Version of Node.js. */
  readonly node: string;
  readonly backend: BackendChoice['backend'];
  /** Whether relaxed SIMD was used. */
  readonly relaxed: boolean;
  readonly threads: number;
  /** Of a BLAS, the name and the size of its file: what tells one from another, and says nothing of the machine's folders. */
  readonly library?: string;
  readonly data: readonly DataFile[];
}

export function originOf(
  versions: Pick<Origin, 'version' | 'node'>,
  choice: BackendChoice,
  threads: number,
  data: readonly DataFile[],
): Origin {
  const relaxed = choice.backend !== 'reference' && choice.relaxed && detectFeatures().relaxedSimd;
  const library = choice.backend === 'blas' && choice.library !== undefined && describeFile(choice.library);
  return { ...versions, backend: choice.backend, relaxed, threads, ...(library && { library }), data };
}

function describeFile(path: string): string {
  return `${basename(path)} of ${statSync(path).size} bytes`;
}

export interface OriginDifference {
  /** `config`, `data.train`, `backend`, `threads`, `version`, `node`, `weights` */
  readonly what: string;
  readonly found: string;
  readonly expected: string;
}

/** In which data files two runs differ, the first one; undefined where they have the same. */
export function dataDifference(
  found: readonly DataFile[],
  expected: readonly DataFile[],
): OriginDifference | undefined {
  for (const { key, sha256 } of expected) {
    const other = found.find((file) => file.key === key);
    if (other?.sha256 !== undefined && other.sha256 === sha256) continue;
    return { what: key, found: described(other), expected: hashOf(sha256) };
  }
  return undefined;
}

function described(file: DataFile | undefined): string {
  return file ? `${file.path} with ${hashOf(file.sha256)}` : 'no file';
}

function hashOf(sha256: string | undefined): string {
  return sha256 === undefined
    ? 'no hash, for standard input and pipes can be read only once'
    : `SHA-256 ${sha256}`;
}

/**
 * In which kernels two runs differ: other ones round in another way. The number of threads is of weight for a BLAS alone, and only the
 * kernels of a BLAS, and those with relaxed SIMD, depend on the machine.
 */
export function kernelsDifference(found: Origin, expected: Origin): OriginDifference | undefined {
  const kernels = ({ backend, relaxed, library }: Origin) =>
    backend + (library ? ` (${library})` : '') + (relaxed ? ' with relaxed SIMD' : '');
  if (kernels(found) !== kernels(expected)) {
    return { what: 'backend', found: kernels(found), expected: kernels(expected) };
  }
  if (expected.backend === 'blas' && found.threads !== expected.threads) {
    return { what: 'threads', found: String(found.threads), expected: String(expected.threads) };
  }
  return undefined;
}
