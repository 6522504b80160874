import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { MlpError } from '../../src/errors.js';
import type { DataConfig } from '../../src/spec/dataConfig.js';
import { formatLocation, type Where } from '../../src/spec/messages.js';
import type { TrainConfig } from '../../src/spec/trainConfig.js';

/** A folder for the tests of one file, gone after them. */
export class Folder {
  path = '';

  constructor() {
    beforeAll(() => {
      this.path = mkdtempSync(join(tmpdir(), 'mlp-data-'));
    });
    afterAll(() => {
      rmSync(this.path, { recursive: true });
    });
  }

  /** Writes a file and says where it is. Never over another: ext4 then waits for the disk. */
  write(name: string, content: string | Uint8Array): string {
    const path = join(this.path, name);
    rmSync(path, { force: true });
    writeFileSync(path, content);
    return path;
  }
}

/** The error that a promise is rejected with, which must be one for the user. */
export async function rejection(promise: Promise<unknown>): Promise<MlpError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof MlpError) return error;
    throw error;
  }
  throw new Error('the promise was fulfilled when expected to be rejected');
}

/** Names keys as those of a config without a text. */
export const inConfig: Where = (path) => formatLocation({ file: 'c.json', path });

/** A config whose data are as given, and whose rest is not looked at by the data. */
export function configOf(data: Pick<DataConfig, 'train' | 'target'> & Partial<DataConfig>): TrainConfig {
  return {
    network: { layers: [] },
    data: {
      task: 'auto',
      exclude: [],
      delimiter: 'auto',
      header: 'auto',
      categories: [],
      missing: 'error',
      validation: 0,
      test: 0,
      standardize: false,
      standardizeTarget: false,
      ...data,
    },
    training: {
      epochs: 1,
      batchSize: 32,
      batches: 'shuffle',
      optimizer: { type: 'sgd', learningRate: 0.1, momentum: 0, nesterov: false },
      schedule: { type: 'constant' },
      loss: 'auto',
      labelSmoothing: 0,
      l2: 0,
      l1: 0,
      keep: 'last',
      keepTies: 'first',
      refit: false,
      checkpointSeconds: 60,
    },
    seed: 0,
    dtype: 'float64',
    backend: 'auto',
    threads: 'auto',
    deterministic: false,
  };
}
