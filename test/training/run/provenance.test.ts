import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../../src/errors.js';
import { formatLocation, type Where } from '../../../src/spec/messages.js';
import {
  dataDifference,
  firstWrong,
  kernelsDifference,
  type Provenance,
  provenanceOf,
  ranksDifference,
} from '../../../src/training/run/provenance.js';
import { requireSameConfig, requireSameProvenance } from '../../../src/training/run/resume.js';
import { errorOf } from '../../spec/support.js';
import { prepare } from '../../support/runs.js';

const file = (sha256?: string, key: 'data.train' | 'data.test' = 'data.train') => ({
  key,
  path: 'a.csv',
  ...(sha256 !== undefined && { sha256 }),
});
const ONE = { threads: 1, ranks: 1 };
const ORIGIN: Provenance = {
  version: '1.0.0',
  node: 'v20.19.0',
  backend: 'wasm',
  relaxed: false,
  threads: 2,
  data: [file('aa')],
};

describe('the data of two runs', () => {
  it('are the same where all hashes are', () => {
    const both = [file('aa'), file('bb', 'data.test')];
    expect(dataDifference(both, both)).toBeUndefined();
    expect(dataDifference([{ ...file('aa'), path: 'elsewhere.csv' }], [file('aa')])).toBeUndefined();
  });

  it('differ in the first file of another hash, or that is missing', () => {
    expect(dataDifference([file('ab')], [file('aa')])).toEqual({
      what: 'data.train',
      found: 'a.csv with SHA-256 ab',
      expected: 'SHA-256 aa',
    });
    expect(dataDifference([file('aa')], [file('aa'), file('bb', 'data.test')])).toMatchObject({
      what: 'data.test',
      found: 'no file',
    });
  });

  it('are never known to be the same where one has no hash', () => {
    for (const [found, expected] of [
      [undefined, undefined],
      ['aa', undefined],
      [undefined, 'aa'],
    ]) {
      expect(dataDifference([file(found)], [file(expected)])?.what).toBe('data.train');
    }
  });
});

describe('the kernels of two runs', () => {
  it('differ by backend and by relaxed SIMD; by threads for a BLAS alone', () => {
    const differing = (changes: Partial<Provenance>, then: Partial<Provenance> = {}) =>
      kernelsDifference({ ...ORIGIN, ...then, ...changes }, { ...ORIGIN, ...then })?.what;
    expect(differing({})).toBeUndefined();
    expect(differing({ threads: 1, version: '2.0.0', node: 'v24.0.0' })).toBeUndefined();
    expect(differing({ backend: 'reference' })).toBe('backend');
    expect(differing({ relaxed: true })).toBe('backend');
    expect(differing({ threads: 1 }, { backend: 'blas' })).toBe('threads');
    expect(differing({ library: 'b of 2 bytes' }, { backend: 'blas', library: 'b of 1 bytes' })).toBe(
      'backend',
    );
  });

  it('add gradients of their ranks in an order that their number and --allreduce decide', () => {
    const differing = (now: Partial<Provenance>, then: Partial<Provenance>) =>
      ranksDifference({ ...ORIGIN, ...now }, { ...ORIGIN, ...then });
    expect(differing({ ranks: 2 }, { ranks: 2 })).toBeUndefined();
    expect(differing({}, { ranks: 4 })).toEqual({ what: 'ranks', found: '1', expected: '4' });
    expect(differing({ ranks: 2 }, { ranks: 2, allreduce: true })?.expected).toBe('2 with --allreduce');
  });

  it('use relaxed SIMD only where the engine has it', () => {
    const versions = { version: '1.0.0', node: 'v20.19.0' };
    expect(provenanceOf(versions, { backend: 'reference', relaxed: true }, ONE, []).relaxed).toBe(false);
    expect(provenanceOf(versions, { backend: 'wasm', relaxed: false }, ONE, []).relaxed).toBe(false);
  });
});

describe('a run to go on with', () => {
  it('is refused with 65 for other data, with 69 for other kernels', () => {
    const refusal = (changes: Partial<Provenance>) =>
      errorOf(() => requireSameProvenance({ ...ORIGIN, ...changes }, ORIGIN, 'runs/a-1'));
    expect(refusal({ data: [file('ab')] })).toMatchObject({
      exitCode: ExitCode.data,
      message: 'data.train: found a.csv with SHA-256 ab, expected SHA-256 aa as in runs/a-1',
    });
    expect(refusal({ backend: 'reference' })).toMatchObject({
      exitCode: ExitCode.unavailable,
      message:
        'backend: found reference, expected wasm as in runs/a-1: the run would not end in the same bits',
      hint: 'resume with --backend wasm --threads 2 and Node v20.19.0, on a machine that has them',
    });
  });

  it('is refused with the first key of its config that differs, wherever it lies', async () => {
    const { config } = await prepare({ network: { layers: [4, 'relu', 3] } });
    const where: Where = (path) => formatLocation({ file: 'c.json', path });
    const place = { where, run: 'r/config.json', mayExtend: false };
    const refusal = (change: (copy: typeof config) => void, mayExtend = false) => {
      const copy = structuredClone(config);
      change(copy);
      return errorOf(() => requireSameConfig(copy, config, { ...place, mayExtend }));
    };
    expect(
      refusal((copy) => {
        copy.network.layers.push({ type: 'tanh' });
      }).message,
    ).toBe('c.json: network.layers[3]: found {"type":"tanh"}, expected nothing as in r/config.json');
    expect(
      refusal((copy) => {
        copy.network.layers[0] = { ...(copy.network.layers[0] as { type: 'linear' }), units: 5 } as never;
      }).message,
    ).toBe('c.json: network.layers[0].units: found 5, expected 4 as in r/config.json');
    expect(
      refusal((copy) => {
        copy.data.exclude = ['x0'];
      }).message,
    ).toMatch(/^c\.json: data\.exclude\[0\]: found "x0"/);
    expect(
      refusal((copy) => {
        copy.training.clipNorm = 1;
      }).message,
    ).toBe('c.json: training.clipNorm: found 1, expected nothing as in r/config.json');
    // What is compared by other means, and what may be extended.
    const same = structuredClone(config);
    Object.assign(same, { threads: 1, backend: 'wasm', $schema: 'x' });
    same.data.train = 'moved.csv';
    expect(() => requireSameConfig(same, config, place)).not.toThrow();
    same.training.epochs = 99;
    expect(() => requireSameConfig(same, config, { ...place, mayExtend: true })).not.toThrow();
    expect(() => requireSameConfig(same, config, place)).toThrow(/training\.epochs: found 99/);
  });
});

describe('what a run certifies in JSON', () => {
  const known = { ...ORIGIN, data: [file('aa'), file()], library: 'libopenblas.so of 7 bytes' };

  it('is what a run writes', () => {
    expect(firstWrong(JSON.parse(JSON.stringify(known)))).toBeUndefined();
  });

  it.each([
    ['no object', null, []],
    ['without a version', { ...known, version: undefined }, ['version']],
    ['with more threads than a config may ask for', { ...known, threads: 257 }, ['threads']],
    ['with a library that is no text', { ...known, library: {} }, ['library']],
    ['with a file that is none', { ...known, data: [file('aa'), null] }, ['data', 1]],
    ['with a hash that is no text', { ...known, data: [{ ...file(), sha256: {} }] }, ['data', 0]],
    ['with a start without a checksum', { ...known, from: { path: 'r' } }, ['from']],
  ])('is not %s', (_, value, path) => {
    expect(firstWrong(value)).toEqual(path);
  });
});
