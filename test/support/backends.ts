/** The backends of this machine, for tests of which one body runs on all. */
import type { KernelsChoice } from '../../src/kernels/create.js';
import { findNative } from '../../src/kernels/native/find.js';
import { libraries } from '../kernels/blas/machines.js';

export interface Backend {
  /** With the reason where its tests are skipped. */
  readonly name: string;
  readonly choice: KernelsChoice;
  readonly skip: boolean;
}

const [library] = libraries;
const { sets, reason } = findNative({ arch: process.arch, env: {} });

/** Every backend but the reference. Tests of one that is not here are skipped by a name that says so. */
export const FAST_BACKENDS: readonly Backend[] = [
  { name: 'wasm', choice: { backend: 'wasm', relaxed: false }, skip: false },
  { name: 'wasm, relaxed SIMD where there is some', choice: { backend: 'wasm', relaxed: true }, skip: false },
  {
    name: library ? 'blas' : 'blas: no BLAS library found',
    choice: { backend: 'blas', relaxed: true, library: library?.path ?? '' },
    skip: !library,
  },
  {
    name: reason ? `native: ${reason}` : 'native',
    choice: { backend: 'native', relaxed: false, set: sets[0] },
    skip: sets.length === 0,
  },
];

export const REFERENCE: Backend = {
  name: 'reference',
  choice: { backend: 'reference', relaxed: false },
  skip: false,
};

/** All of them. */
export const BACKENDS: readonly Backend[] = [REFERENCE, ...FAST_BACKENDS];
