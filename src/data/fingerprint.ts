/** Which bytes a config's data files hold. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { readError } from '../errors.js';
import type { DataConfig } from '../spec/dataConfig.js';
import { printable } from '../text.js';
import { sourcePath } from './source/source.js';

/** Plain data, which survives JSON. */
export interface DataFile {
  /** Where the config names it. */
  readonly key: 'data.train' | 'data.validation' | 'data.test';
  /** As the config names it; "-" is stdin. */
  readonly path: string;
  /** Of the file as it lies there, packed or not. Not there for stdin or a pipe, which can be read only once. */
  readonly sha256?: string;
}

/**
 * The files of a config, whose folder is `directory`, with their hashes.
 * @throws MlpError 66, 74 or 77 where one can't be read
 */
export async function fingerprintData(config: DataConfig, directory: string): Promise<DataFile[]> {
  const files: DataFile[] = [];
  for (const side of ['train', 'validation', 'test'] as const) {
    const path = config[side];
    if (typeof path !== 'string') continue;
    const sha256 = path === '-' ? undefined : await hashOf(sourcePath(path, directory));
    files.push({ key: `data.${side}`, path, ...(sha256 !== undefined && { sha256 }) });
  }
  return files;
}

/** SHA-256 in hexadecimal; undefined for what is no plain file. */
async function hashOf(path: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    if (!(await stat(path)).isFile()) return undefined;
    await pipeline(createReadStream(path, { highWaterMark: 2 ** 20 }), async (pieces) => {
      for await (const piece of pieces) hash.update(piece);
    });
  } catch (error) {
    throw readError(printable(path), error);
  }
  return hash.digest('hex');
}
