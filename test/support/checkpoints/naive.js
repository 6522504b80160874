/**
 * A checkpoint store as one would write it without a second thought: one file, overwritten in place. Preloaded by `node --import`, it takes the
 * place of the built one: what finds no fault with it has no teeth.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointStore, withChecksum } from '../../../dist/training/run/checkpoints.js';

CheckpointStore.prototype.save = async function (_step, { header, parts }) {
  await mkdir(this.folder, { recursive: true });
  await writeFile(join(this.folder, 'step-0.checkpoint'), withChecksum([header, ...parts]));
};
