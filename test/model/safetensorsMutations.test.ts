/**
 * Damaged at random: 2,000 files, or as many as MLP_MUTATIONS says. The generator is seeded, so a number always means the same files.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openSafetensors, type SafetensorsFile } from '../../src/model/safetensors/decode.js';
import { ARRAYS } from '../../src/model/safetensors/dtype.js';
import { projectPath } from '../support/fixtures.js';
import { PROPERTY_SEED } from '../support/properties.js';
import { Mutator, requireClean } from './mutator.js';
import { rewritable } from './safetensorsFile.js';

const MUTATIONS = Number(process.env.MLP_MUTATIONS ?? 2000);
const FILES = ['network', 'types', 'unreadable', 'empty'].map((name) =>
  readFileSync(projectPath(`test/fixtures/safetensors/${name}.safetensors`)),
);

/**
 * Opens a file and reads all its tensors. Either a clean error says what is wrong (false), or every tensor is as long as
 * its shape says and holds the bytes that the file has for it (true); anything else is thrown.
 */
function isReadable(path: string, bytes: Buffer): boolean {
  let file: SafetensorsFile;
  try {
    file = openSafetensors(path);
  } catch (error) {
    requireClean(error, path);
    return false;
  }
  for (const [name, { dtype, shape, begin, end }] of file.tensors) {
    try {
      const data = file.read(name);
      const elements = shape.reduce((product, extent) => product * extent, 1);
      if (data.length !== elements) throw new Error(`${data.length} elements when expected ${elements}`);
      if (bytes.compare(new Uint8Array(data.buffer), 0, data.byteLength, begin, end) !== 0) {
        throw new Error(`the bytes of ${JSON.stringify(name)} are not the file's`);
      }
    } catch (error) {
      if (ARRAYS[dtype] !== undefined) throw error;
      requireClean(error, path);
    }
  }
  file.close();
  return true;
}

describe('a damaged file', () => {
  it(`is refused with a clean error or read as it is: ${MUTATIONS} of them`, { timeout: 600_000 }, () => {
    const { path, write } = rewritable();
    const mutator = new Mutator(FILES, PROPERTY_SEED);
    let readable = 0;
    for (let i = 0; i < MUTATIONS; i++) {
      const bytes = mutator.next();
      write(bytes);
      try {
        if (isReadable(path, bytes)) readable++;
      } catch (error) {
        throw new Error(`mutation ${i}: ${bytes.toString('latin1')}`, { cause: error });
      }
    }
    // Elements, metadata and names may be any, so some mutations do no harm; the header's numbers may not.
    expect(readable / MUTATIONS).toBeGreaterThan(0.01);
    expect(readable / MUTATIONS).toBeLessThan(0.1);
  });

  it.each(FILES.map((bytes) => [bytes.length, bytes]))(
    'is refused wherever it is cut: %d bytes',
    (_, bytes) => {
      const { path, write } = rewritable();
      for (let length = 0; length < bytes.length; length++) {
        const cut = bytes.subarray(0, length);
        write(cut);
        expect(isReadable(path, cut), `${length} bytes`).toBe(false);
      }
      write(bytes);
      expect(isReadable(path, bytes)).toBe(true);
    },
  );
});
