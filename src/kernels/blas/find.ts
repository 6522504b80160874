/** The search carried out: the first library that does, or all of them, and what to tell the user where there is none. */
import { realpathSync } from 'node:fs';
import { ExitCode, MlpError } from '../../errors.js';
import { type BlasFailure, type BlasLibrary, isFailure, openBlas } from './library.js';
import type { Machine } from './machine.js';
import { type BlasPlace, blasPlaces } from './search.js';

export interface FoundBlas extends BlasLibrary {
  readonly source: BlasPlace['source'];
}

export interface BlasSearch {
  /** Best first; `findBlas` stops at one. */
  readonly libraries: readonly FoundBlas[];
  /** Libraries that were there, or were named, and don't do. */
  readonly failures: readonly BlasFailure[];
  /** The names of the places that were looked at. */
  readonly searched: readonly string[];
}

/** Opens the libraries of the machine in the order of the search, up to the first that does. */
export function findBlas(machine: Machine): BlasSearch {
  return search(machine, 1);
}

/** Opens every library of the machine. For a diagnosis: it is slow, and all of them stay loaded. */
export function findEveryBlas(machine: Machine): BlasSearch {
  return search(machine, Number.POSITIVE_INFINITY);
}

function search(machine: Machine, wanted: number): BlasSearch {
  const libraries = new Map<string, FoundBlas>();
  const failures = new Map<string, BlasFailure>();
  const searched: string[] = [];
  const outcome = () => ({ libraries: [...libraries.values()], failures: [...failures.values()], searched });
  for (const place of blasPlaces(machine)) {
    searched.push(place.name);
    for (const name of place.libraries) {
      const result = openBlas(name);
      const file = realPath(result.path);
      if (!isFailure(result)) {
        if (!libraries.has(file)) libraries.set(file, { ...result, source: place.source });
        if (libraries.size >= wanted) return outcome();
      } else if (place.source === 'MLP_BLAS' || result.reason !== 'missing') {
        failures.set(file, result);
      }
    }
  }
  return outcome();
}

/** One file under several names, as distributions lay links, counts once. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/**
 * Why there is no library, in one line: what was found wrong, and where it was looked for.
 *
 *     MLP_BLAS: /home/ada/notes.txt: not a library (found some other file, expected a shared library (ELF))
 */
export function explainSearch({ failures, searched }: BlasSearch): string {
  const faults = failures.map(({ path, reason, detail }) => `${path}: ${reason} (${detail})`);
  if (searched.length === 1) return [...searched, ...faults].join(': ');
  return [`no BLAS library in ${searched.join(', ')}`, ...faults].join('; ');
}

/** The error of a demanded `blas` backend where the search found nothing: exit code 69. */
export function blasUnavailable(outcome: BlasSearch): MlpError {
  return new MlpError(
    ExitCode.unavailable,
    `backend blas: ${explainSearch(outcome)}`,
    'install OpenBLAS (Debian, Ubuntu: apt-get install libopenblas0-pthread), name a library by MLP_BLAS=/path/to/libopenblas.so, or take --backend wasm',
  );
}
