/**
 * Models damaged at random: 2,000 files of each kind, or as many as MLP_MUTATIONS says. The generator is seeded, so a number always means the same files.
 */
import { describe, expect, it } from 'vitest';
import { loadModel, type Model } from '../../src/model/load.js';
import { PROPERTY_SEED } from '../support/properties.js';
import { BINARY, CONTENT, modelBytes, REGRESSION, withTexts } from './models.js';
import { Mutator, requireClean } from './mutator.js';
import { rewritable } from './safetensorsFile.js';

const MUTATIONS = Number(process.env.MLP_MUTATIONS ?? 2000);
const CHECKED = [CONTENT, BINARY, REGRESSION].map((content) => modelBytes(content));
/** Without a checksum, all other checks are reached. */
const FILES = CHECKED.map((bytes) => withTexts(bytes, { checksum: undefined }));

/** The model, or undefined where a clean error says what is wrong; anything else is thrown. */
function loaded(path: string): Model | undefined {
  try {
    return loadModel(path);
  } catch (error) {
    requireClean(error, path);
    return undefined;
  }
}

describe('a damaged model file', () => {
  it.each([
    ['anywhere', (mutator: Mutator) => mutator.next(), [0.003, 0.05]],
    ['in its metadata', (mutator: Mutator) => mutator.nextMetadata(), [0.05, 0.3]],
  ] as const)(
    `is refused with a clean error or is a model all the same: ${MUTATIONS} %s`,
    { timeout: 600_000 },
    (_, next, [least, most]) => {
      const { path, write } = rewritable();
      const mutator = new Mutator(FILES, PROPERTY_SEED);
      let models = 0;
      for (let i = 0; i < MUTATIONS; i++) {
        const bytes = next(mutator);
        write(bytes);
        try {
          const model = loaded(path);
          if (model === undefined) continue;
          models++;
          const elements = [...model.tensors.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
          if (elements > bytes.length)
            throw new Error(`${elements} bytes of tensors in a file of ${bytes.length}`);
        } catch (error) {
          throw new Error(`mutation ${i}: ${bytes.toString('latin1')}`, { cause: error });
        }
      }
      // Weights and names may be others; hardly anything else may.
      expect(models / MUTATIONS).toBeGreaterThan(least);
      expect(models / MUTATIONS).toBeLessThan(most);
    },
  );

  it('is refused whichever bit is another', () => {
    const { path, write } = rewritable();
    for (const bytes of CHECKED) {
      for (let i = 0; i < bytes.length; i++) {
        const damaged = Buffer.from(bytes);
        damaged[i] ^= 1 << (i % 8);
        write(damaged);
        expect(loaded(path), `byte ${i}`).toBeUndefined();
      }
    }
  });

  it('is refused wherever it is cut', () => {
    const { path, write } = rewritable();
    for (const bytes of FILES) {
      for (let length = 0; length < bytes.length; length += 7) {
        write(bytes.subarray(0, length));
        expect(loaded(path), `${length} bytes`).toBeUndefined();
      }
    }
  });
});
