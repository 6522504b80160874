import { describe, expect, it } from 'vitest';
import { ExitCode, type MlpError } from '../../../src/errors.js';
import type { Machine } from '../../../src/kernels/blas/find.js';
import { findNative } from '../../../src/kernels/native/find.js';
import { WORK_BEFORE_CODE } from '../../../src/kernels/native/index.js';
import type { WasmFeatures } from '../../../src/kernels/wasm/loader.js';
import {
  chooseAgain,
  chooseBackend,
  chooseThreads,
  LEAST_LARGE_PRODUCT,
} from '../../../src/training/engine/backend.js';
import { libraries, loadedLibrary, thisMachine } from '../../kernels/blas/machines.js';
import { folderOf } from '../../support/cli.js';
import { specOf } from '../../support/networks.js';
import { prepare } from '../../support/runs.js';

const SIMD: WasmFeatures = { simd: true, relaxedSimd: true };
const NO_SIMD: WasmFeatures = { simd: false, relaxedSimd: false };

const native = findNative(thisMachine);
/** This machine where machine code is turned off. */
const off: Machine = { ...thisMachine, env: { ...thisMachine.env, MLP_NATIVE: '0' } };

/** A network of one product of so many multiply-adds. */
const sized = (product: number) => ({ network: specOf({ layers: [product] }), inputs: 1, batchSize: 1 });
const SMALL = sized(LEAST_LARGE_PRODUCT - 1);
const LARGE = sized(LEAST_LARGE_PRODUCT);

const asked = (backend: 'auto' | 'reference' | 'wasm' | 'blas' | 'native', deterministic = false) => ({
  backend,
  deterministic,
});

/** This machine with another library named. */
const naming = (library: string): Machine => ({ ...thisMachine, env: { MLP_BLAS: library } });

/** A machine that must not be searched. */
const unsearched: Machine = {
  ...thisMachine,
  get env(): never {
    throw new Error('the search for a BLAS has begun');
  },
};

function errorOf(choose: () => unknown): MlpError {
  try {
    choose();
  } catch (error) {
    return error as MlpError;
  }
  return expect.fail('nothing was thrown');
}

/** Files and paths that are no BLAS, with what is said of them. */
function notBlas(): [path: string, reason: RegExp][] {
  const folder = folderOf({ 'notes.txt': 'not a library\n' });
  return [
    [`${folder}/notes.txt`, /notes\.txt: not a library \(found some other file, expected a shared library/],
    [`${folder}/missing.so`, /missing\.so: missing \(no such file\)/],
    [folder, /not a library \(found a folder\)/],
  ];
}

describe('chooseBackend', () => {
  it.each(['reference', 'wasm'] as const)('takes %s where it is demanded, without a search', (backend) => {
    expect(chooseBackend(asked(backend), LARGE, unsearched, SIMD)).toEqual({ backend, relaxed: true });
  });

  it('takes wasm for small products without a search', () => {
    const choice = { backend: 'wasm', relaxed: true };
    expect(chooseBackend(asked('auto'), SMALL, unsearched, SIMD)).toEqual(choice);
  });

  it('takes wasm without relaxed SIMD where the bits must be the same everywhere', () => {
    const choice = { backend: 'wasm', relaxed: false };
    expect(chooseBackend(asked('wasm', true), LARGE, unsearched, SIMD)).toEqual(choice);
    expect(chooseBackend(asked('auto', true), SMALL, unsearched, SIMD)).toEqual(choice);
    // Machine code may take part, with the same bits.
    const exact = { ...choice, exact: { waits: WORK_BEFORE_CODE } };
    expect(chooseBackend(asked('auto', true), LARGE, unsearched, SIMD)).toEqual(exact);
  });

  it('refuses blas where the bits must be the same everywhere', () => {
    const error = errorOf(() => chooseBackend(asked('blas', true), LARGE, unsearched, SIMD));
    expect(error.exitCode).toBe(ExitCode.config);
    expect(error.message).toMatch(
      /^backend: found "blas" with "deterministic", expected "wasm", "native" or "auto"/,
    );
  });

  it('falls back to the reference where there is no SIMD, and says so', () => {
    const { backend, note } = chooseBackend(asked('auto'), LARGE, unsearched, NO_SIMD);
    expect(backend).toBe('reference');
    expect(note).toBe('found an engine without WebAssembly SIMD: using the reference kernels');
  });

  it.each(['wasm', 'blas'] as const)('refuses %s where there is no SIMD', (backend) => {
    const error = errorOf(() => chooseBackend(asked(backend), LARGE, unsearched, NO_SIMD));
    expect(error.exitCode).toBe(ExitCode.unavailable);
    expect(error.message).toContain(`backend "${backend}": found an engine without WebAssembly SIMD`);
    expect(error.hint).toContain('--backend reference');
  });

  it('goes on with wasm where the named BLAS does not do, and says why', () => {
    for (const [path, reason] of notBlas()) {
      const { backend, note } = chooseBackend(asked('auto'), LARGE, naming(path), SIMD);
      expect(backend).toBe('wasm');
      expect(note).toMatch(reason);
      expect(note).toMatch(/^MLP_BLAS: .*: using the wasm kernels$/);
    }
  });

  it('refuses blas where the named one does not do, and says why', () => {
    for (const [path, reason] of notBlas()) {
      const error = errorOf(() => chooseBackend(asked('blas'), SMALL, naming(path), SIMD));
      expect(error.exitCode).toBe(ExitCode.unavailable);
      expect(error.message).toMatch(reason);
      expect(error.message).toMatch(/^backend blas: MLP_BLAS: /);
      expect(error.hint).toContain('--backend wasm');
    }
  });

  it.skipIf(loadedLibrary === null)('refuses a library without cblas', () => {
    const machine = naming(loadedLibrary as string);
    const { message, exitCode } = errorOf(() => chooseBackend(asked('blas'), SMALL, machine, SIMD));
    expect(exitCode).toBe(ExitCode.unavailable);
    expect(message).toContain('no cblas (has no function cblas_sgemm)');
    expect(chooseBackend(asked('auto'), LARGE, machine, SIMD).note).toContain('no cblas');
  });

  // Where Accelerate is always there.
  it.skipIf(process.platform === 'darwin')('names the places that were searched in vain', () => {
    const bare: Machine = { ...thisMachine, platform: 'darwin', env: {}, home: '/home/ada', list: () => [] };
    const { message } = errorOf(() => chooseBackend(asked('blas'), SMALL, bare, SIMD));
    expect(message).toMatch(/^backend blas: no BLAS library in Accelerate, .*NumPy wheels/);
  });

  it.skipIf(libraries.length === 0)(
    'takes the BLAS it finds for large products where native is off, or where it is demanded',
    () => {
      const choices = [
        chooseBackend(asked('auto'), LARGE, off, SIMD),
        chooseBackend(asked('blas'), SMALL, off, SIMD),
      ];
      for (const { backend, library, note } of choices) {
        expect([backend, note]).toEqual(['blas', undefined]);
        expect(libraries.map(({ path }) => path)).toContain(library);
      }
    },
  );
});

describe('chooseBackend, native', () => {
  it('says why there is none where it is demanded', () => {
    const error = errorOf(() => chooseBackend(asked('native'), SMALL, off, SIMD));
    expect([error.exitCode, error.message]).toEqual([
      ExitCode.unavailable,
      'backend native: MLP_NATIVE=0 turns it off',
    ]);
    expect(error.hint).toContain('--backend wasm');
  });

  it.skipIf(native.sets.length === 0)('takes the first set of the processor, deterministic or not', () => {
    const choice = { backend: 'native', relaxed: false, set: native.sets[0] };
    for (const deterministic of [false, true]) {
      expect(chooseBackend(asked('native', deterministic), SMALL, thisMachine, SIMD)).toEqual(choice);
    }
    const unnamed: Machine = { ...thisMachine, env: { ...thisMachine.env, MLP_BLAS: undefined } };
    expect(chooseBackend(asked('auto'), LARGE, unnamed, SIMD)).toEqual(choice);
  });

  it('keeps the kernels of a run that is resumed, where the config says auto and the machine has them', () => {
    const again = (backend: 'auto' | 'reference', then: 'wasm' | 'native', machine: Machine) =>
      chooseAgain(asked(backend), LARGE, machine, then).backend;
    expect(again('auto', 'wasm', thisMachine)).toBe('wasm');
    expect(again('reference', 'wasm', thisMachine)).toBe('reference');
    expect(again('auto', 'native', { ...off, env: { ...off.env, MLP_BLAS: '/no/such/library' } })).toBe(
      'wasm',
    );
  });
});

describe('chooseThreads', () => {
  const wasm = { backend: 'wasm', relaxed: true } as const;
  const planOf = async (width: number) =>
    (await prepare({ network: { layers: [width, 'relu', 3] }, training: { batchSize: 32 } })).plan;

  it('takes as many as are asked for, whatever there are', async () => {
    expect(chooseThreads(5, wasm, await planOf(4), 2)).toBe(5);
  });

  it('takes one for small networks, more for large ones, and no more than there are', async () => {
    const [small, large] = [await planOf(4), await planOf(20_000)];
    expect(chooseThreads('auto', wasm, small, 8)).toBe(1);
    expect(chooseThreads('auto', wasm, large, 8)).toBe(8);
    expect(chooseThreads('auto', wasm, large, 1)).toBe(1);
  });

  it('takes one for the reference kernels, which know no team', async () => {
    expect(chooseThreads(4, { backend: 'reference', relaxed: false }, await planOf(4), 8)).toBe(1);
  });
});

// .ci/run installs a BLAS and sets this: the tests that need one must not be skipped there.
describe.skipIf(libraries.length === 0 && process.env.MLP_REQUIRE_BLAS !== '1')('this machine', () => {
  it('a BLAS library is found', () => {
    expect(libraries.map(({ path }) => path)).not.toEqual([]);
  });
});
