/** Gives memory that nobody uses any more back to the system, at once. */
import { createRequire } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Less is not worth tens of milliseconds. */
const LEAST_BYTES = 2 ** 26;

let trim: (() => void) | undefined;

/**
 * Called between two stages that take much memory, the first of which has cells of a table behind it. The
 * collector lets 64 MB of arrays lie before it looks, and glibc keeps what arrays of up to 32 MB have left.
 * @param least of arrays, in bytes; with fewer, nothing is done
 */
export function releaseMemory(least = LEAST_BYTES): void {
  if (process.memoryUsage().arrayBuffers < least) return;
  // A function of V8's own, which is given to contexts that are made after the flag is set.
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('globalThis.gc');
  setFlagsFromString('--no-expose-gc');
  if (typeof collect === 'function') collect();
  trim ??= trimOf();
  trim();
}

function trimOf(): () => void {
  try {
    const koffi: typeof import('koffi') = createRequire(import.meta.url)('koffi');
    const trim = koffi.load(null).func('int malloc_trim(size_t)');
    return () => trim(0);
  } catch {
    // Another C library, or no koffi here.
    return () => {};
  }
}
