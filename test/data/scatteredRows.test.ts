import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ScatteredRows } from '../../src/data/matrixFile.js';
import { willNeed } from '../../src/data/source/willNeed.js';
import { threadsWarning } from '../../src/training/parallel.js';
import { folderOf } from '../support/cli.js';

it('reads rows in any order, also where the system is told of them first', () => {
  const path = join(folderOf({}), 'rows');
  writeFileSync(path, new Uint8Array(Float32Array.from({ length: 12 }, (_, i) => i).buffer));
  const fd = openSync(path, 'r');
  const matrix = { dtype: 'float32', rows: 6, columns: 2, bytes: { name: path, fd, size: 48 } } as const;
  const out = new Float32Array(8);
  willNeed(fd, 8, 8);
  new ScatteredRows(matrix).read(Int32Array.of(4, 0, 4), new Uint8Array(out.buffer), 1);
  expect([...out]).toEqual([0, 0, 8, 9, 0, 1, 8, 9]);
  closeSync(fd);
});

it('warns of more threads than twice the processors', () => {
  expect(threadsWarning('auto')).toBeUndefined();
  expect(threadsWarning(1)).toBeUndefined();
  expect(threadsWarning(100_000)).toMatch(/^threads is 100000, but this machine has \d+ processors?: /);
});
