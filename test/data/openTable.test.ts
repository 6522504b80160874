import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { openTable, readWhole } from '../../src/data/openTable.js';
import { Folder, rejection } from './files.js';

const folder = new Folder();

async function tableOf(content: string | Uint8Array) {
  const file = await openTable(folder.write('data.csv', content), { delimiter: 'auto', header: 'auto' });
  try {
    return await readWhole(file, { threads: 2 });
  } finally {
    file.close();
  }
}

describe('readWhole', () => {
  const numeric = 'a,b,c\n1,x,0.5\n,y,-2e3\n3,x,NA\n';

  it('reads numbers and text, and where cells are missing', async () => {
    const { names, rows, columns, lines } = await tableOf(numeric);
    expect([names, rows, [...lines]]).toEqual([['a', 'b', 'c'], 3, [2, 3, 4]]);
    expect(columns).toEqual([
      { kind: 'numeric', values: Float64Array.of(1, Number.NaN, 3), missing: 1 },
      { kind: 'text', levels: ['x', 'y'], codes: Int32Array.of(0, 1, 0), missing: 0 },
      { kind: 'numeric', values: Float64Array.of(0.5, -2000, Number.NaN), missing: 1 },
    ]);
  });

  it('reads the same where quotes and gzip keep it from being plain', async () => {
    const quoted = numeric.replace('x,0.5', '"x",0.5');
    const { columns } = await tableOf(numeric);
    expect((await tableOf(quoted)).columns).toEqual(columns);
    expect((await tableOf(gzipSync(numeric))).columns).toEqual(columns);
  });

  it('refuses a cell that is no number among numbers, with its line', async () => {
    const error = await rejection(tableOf('a,b\n1,2\n2,3\n3,oops\n4,5\n'));
    expect([error.exitCode, error.message]).toEqual([
      65,
      `${folder.path}/data.csv:4: column "b": found "oops", expected a number`,
    ]);
  });
});
