/** What the tests of BLAS find on the machine they run on. */
import { basename } from 'node:path';
import { thisMachine as describeMachine, findEveryBlas } from '../../../src/kernels/blas/find.js';

export const thisMachine = describeMachine();

/** Every usable library of this machine. */
export const { libraries } = findEveryBlas(thisMachine);

/** A shared library that this process has loaded and that has no cblas: the C library's mathematics, or null. */
export const loadedLibrary: string | null =
  (process.report.getReport() as { sharedObjects?: string[] }).sharedObjects?.find(
    (path) => /^(libm|libc|kernel32)\b/i.test(basename(path)) && path !== basename(path),
  ) ?? null;
