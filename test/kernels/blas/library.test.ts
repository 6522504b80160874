import { copyFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ExitCode } from '../../../src/errors.js';
import type { Machine } from '../../../src/kernels/blas/find.js';
import { blasUnavailable, explainSearch, findBlas } from '../../../src/kernels/blas/find.js';
import {
  type BlasFailure,
  identifyBinary,
  isFailure,
  nameProcessor,
  nativeFormat,
  openBlas,
  readHeader,
} from '../../../src/kernels/blas/library.js';
import { loadedLibrary } from './machines.js';

const folder = mkdtempSync(join(tmpdir(), 'blas-'));
afterAll(() => rmSync(folder, { recursive: true }));

function failure(path: string): BlasFailure {
  const result = openBlas(path);
  if (!isFailure(result)) throw new Error(`${path} was opened`);
  return result;
}

const naming = (path: string): Machine => ({
  platform: process.platform,
  arch: process.arch,
  env: { MLP_BLAS: path },
  home: folder,
  list: () => [],
});

describe('openBlas', () => {
  it('says that a file is missing', () => {
    expect(failure(join(folder, 'nowhere.so'))).toMatchObject({ reason: 'missing', detail: 'no such file' });
  });

  it('says that the loader knows no such name', () => {
    expect(failure('libnosuchblas.so.7').reason).toBe('missing');
  });

  it('says that a text file, an empty file and a folder are no library', () => {
    const text = join(folder, 'notes.txt');
    writeFileSync(text, 'INPUT ( -lopenblas )\n');
    const empty = join(folder, 'empty.so');
    writeFileSync(empty, '');
    for (const path of [text, empty, folder]) expect(failure(path).reason).toBe('not a library');
  });

  it('says which architecture a library is for', () => {
    const other = process.arch === 'arm64' ? 'x64' : 'arm64';
    const path = join(folder, 'other.so');
    writeFileSync(path, header(nativeFormat(process.platform), other));
    expect(failure(path)).toMatchObject({
      reason: 'wrong architecture',
      detail: `found a library for ${other}, expected one for ${process.arch}`,
    });
  });

  it.skipIf(loadedLibrary === null)('says that a library without cblas has none', () => {
    expect(failure(loadedLibrary as string)).toMatchObject({
      reason: 'no cblas',
      detail: 'has no function cblas_sgemm',
    });
  });

  it.skipIf(loadedLibrary === null || process.platform !== 'linux')(
    'refuses a library that is cut off',
    () => {
      const path = join(folder, 'cut.so');
      copyFileSync(loadedLibrary as string, path);
      truncateSync(path, 5000);
      expect(failure(path).reason).toBe('not a library');
      expect(failure(path).detail).toMatch(/^found 5000 bytes, expected at least \d+/);
    },
  );
});

describe('findBlas', () => {
  it('explains what is wrong with the file that MLP_BLAS names', () => {
    const path = join(folder, 'named.txt');
    writeFileSync(path, 'not a library\n');
    const search = findBlas(naming(path));
    expect(search.libraries).toEqual([]);
    expect(explainSearch(search)).toMatch(
      `MLP_BLAS: ${path}: not a library (found some other file, expected`,
    );
  });

  it('makes an error with exit code 69 and a way out', () => {
    const error = blasUnavailable(findBlas(naming(join(folder, 'gone.so'))));
    expect(error.exitCode).toBe(ExitCode.unavailable);
    expect(error.message).toBe(`backend blas: MLP_BLAS: ${join(folder, 'gone.so')}: missing (no such file)`);
    expect(error.hint).toMatch(/MLP_BLAS=.*--backend wasm/);
  });

  it('names the places it looked at where there was nothing', () => {
    const outcome = { libraries: [], failures: [], searched: ["the system's library path", '/usr/lib64'] };
    expect(explainSearch(outcome)).toBe("no BLAS library in the system's library path, /usr/lib64");
  });
});

describe('identifyBinary', () => {
  it.each([
    ['ELF', 'x64'],
    ['ELF', 'arm64'],
    ['Mach-O', 'x64'],
    ['Mach-O', 'arm64'],
    ['PE', 'x64'],
    ['PE', 'arm64'],
  ] as const)('knows a library of format %s for %s', (format, architecture) => {
    expect(identifyBinary(header(format, architecture))).toMatchObject({
      format,
      architectures: [architecture],
    });
  });

  it('knows both halves of a universal file', () => {
    const bytes = new DataView(new ArrayBuffer(64));
    bytes.setUint32(0, 0xcafebabe);
    bytes.setUint32(4, 2);
    bytes.setUint32(8, 0x01000007);
    bytes.setUint32(28, 0x0100000c);
    expect(identifyBinary(new Uint8Array(bytes.buffer))?.architectures).toEqual(['x64', 'arm64']);
  });

  it('knows the program that runs this test', () => {
    expect(identifyBinary(readHeader(process.execPath))).toMatchObject({
      format: nativeFormat(process.platform),
      architectures: expect.arrayContaining([process.arch]),
    });
  });

  it('takes nothing else for a program', () => {
    expect(identifyBinary(new Uint8Array(64))).toBeNull();
    expect(
      identifyBinary(
        new TextEncoder().encode('MZ is how a sentence may begin, and it goes on and on.'.repeat(3)),
      ),
    ).toBeNull();
    expect(identifyBinary(new Uint8Array(3))).toBeNull();
  });
});

/** The first bytes of a library: the magic number and the machine, by the formats' definitions. */
function header(format: 'ELF' | 'Mach-O' | 'PE', architecture: 'x64' | 'arm64'): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(128));
  const arm = architecture === 'arm64';
  if (format === 'ELF') {
    bytes.setUint32(0, 0x7f454c46);
    bytes.setUint8(4, 2);
    bytes.setUint8(5, 1);
    bytes.setUint16(18, arm ? 0xb7 : 0x3e, true);
  } else if (format === 'Mach-O') {
    bytes.setUint32(0, 0xfeedfacf, true);
    bytes.setUint32(4, arm ? 0x0100000c : 0x01000007, true);
  } else {
    bytes.setUint16(0, 0x4d5a);
    bytes.setUint32(0x3c, 64, true);
    bytes.setUint32(64, 0x50450000);
    bytes.setUint16(68, arm ? 0xaa64 : 0x8664, true);
  }
  return new Uint8Array(bytes.buffer);
}

describe('nameProcessor', () => {
  const info = (vendor: string, flags: string) =>
    `vendor_id\t: ${vendor}\nflags\t\t: fpu ${flags} sse\nflags : x\n`;
  const AVX512 = 'avx2 fma avx512f avx512dq avx512cd avx512bw avx512vl';

  it.each([
    ['GenuineIntel', AVX512, 'SkylakeX'],
    ['GenuineIntel', 'avx2 fma avx512f', 'Haswell'],
    ['GenuineIntel', 'avx', undefined],
    ['AuthenticAMD', AVX512, undefined],
  ])('of %s with %s is %s', (vendor, flags, expected) => {
    const env: NodeJS.ProcessEnv = {};
    nameProcessor(env, info(vendor, flags));
    expect(env.OPENBLAS_CORETYPE).toBe(expected);
  });

  it('leaves what the user has set', () => {
    const env = { OPENBLAS_CORETYPE: 'Prescott' };
    nameProcessor(env, info('GenuineIntel', AVX512));
    expect(env.OPENBLAS_CORETYPE).toBe('Prescott');
  });
});
