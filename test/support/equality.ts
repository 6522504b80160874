/** `toEqual` of typed arrays as one loop: vitest's own lists all their keys, and took seconds of the suite. */
import { expect } from 'vitest';

type Numbers = Float64Array | Float32Array | Int32Array | Uint32Array | Uint8Array;

function isNumbers(value: unknown): value is Numbers {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

// A module of its own, since testers are for all files of a worker, and a setup file runs for each.
expect.addEqualityTesters([
  (a: unknown, b: unknown) => {
    if (!isNumbers(a) || !isNumbers(b) || a.constructor !== b.constructor) return undefined;
    return a.length === b.length && a.every((value, i) => Object.is(value, b[i]));
  },
]);
