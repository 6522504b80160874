import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadDataset } from '../../../src/data/dataset/loadDataset.js';
import { openTable } from '../../../src/data/openTable.js';
import { REJECTED_HEADER, RejectedRows } from '../../../src/data/rejectedRows.js';
import { ExitCode, MlpError } from '../../../src/errors.js';
import type { DataConfig } from '../../../src/spec/dataConfig.js';
import { allOf } from '../../support/datasets.js';
import { projectPath } from '../../support/fixtures.js';
import { configOf, Folder, rejection } from '../files.js';

const folder = new Folder();

function load(content: string | Uint8Array, data: Partial<DataConfig> = {}, name = 'data.csv') {
  folder.write(name, content);
  return loadDataset(
    configOf({ train: name, target: 'y', badRows: 'skip', ...data }),
    folder.path,
    undefined,
    { threads: 2 },
  );
}

/** The lines of rejected.csv, without its header and the folder. */
function listed(rejected: readonly RejectedRows[] = []): string[] {
  const text = rejected.flatMap((rows) => [...rows.lines()]).join('');
  return text.replaceAll(`${folder.path}/`, '').split('\n').slice(0, -1);
}

const ROWS = ['1,2,0.5', '2,3,1.5', '3,5,2.25', '4,7,3.5', '5,8,4.5', '6,1,5.25'];
const csv = (rows: readonly string[]) => `a,b,y\n${rows.join('\n')}\n`;

describe('data.badRows: skip', () => {
  it('leaves out ragged rows and cells that are no numbers, and lists them with their lines', async () => {
    const dirty = [
      ...ROWS.slice(0, 2),
      '9,9',
      'Total,18,9',
      ...ROWS.slice(2),
      '1,2,3,4',
      '=1,1e400,2',
      '7,7,x',
    ];
    const dataset = await load(csv(dirty));
    expect(dataset.train.rows).toBe(ROWS.length);
    expect(listed(dataset.rejected)).toEqual([
      'data.csv,4,"found 2 fields, expected 3","9,9"',
      'data.csv,5,"column ""a"": found ""Total"", expected a number","Total,18,9"',
      'data.csv,10,"found 4 fields, expected 3","1,2,3,4"',
      `data.csv,11,"column ""a"": found ""=1"", expected a number","'=1,1e400,2"`,
      'data.csv,12,"column ""y"": found ""x"", expected a number","7,7,x"',
    ]);
    expect(dataset.warnings.join('\n').replaceAll(`${folder.path}/`, '')).toContain(
      `data.csv: 5 rows that can't be read are skipped: 2 with another number of fields, ` +
        '2 with no number in column "a", 1 with no number in column "y"; first on line 4',
    );
    expect(REJECTED_HEADER).toBe('file,line,reason,row\n');
  });

  it('says nothing of a file that is sound', async () => {
    const dataset = await load(csv(ROWS));
    expect(dataset.rejected).toBeUndefined();
    expect(dataset.warnings.join()).not.toContain('skipped');
  });

  it('gives the dataset of the file without these rows: by bytes, as text, packed, in several files', async () => {
    const bad = fc.constantFrom('1,2', 'x,1,2', '1,,2,3', '1,2,y', '1,"2 kg",3');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(ROWS.length), bad), { minLength: 1, maxLength: 5 }),
        fc.constantFrom('plain', 'gzip', 'text', 'files'),
        async (insertions, way) => {
          const rows = [...ROWS, ...ROWS];
          const dirty = [...rows];
          for (const [at, row] of insertions) dirty.splice(at + 1, 0, row);
          const data: Partial<DataConfig> = way === 'text' ? { comment: '#' } : {};
          const contentOf = (lines: readonly string[]) =>
            way === 'gzip' ? gzipSync(csv(lines)) : csv(lines);
          const files = way === 'files' ? { train: ['one.csv', 'data.csv'] } : {};
          folder.write('one.csv', csv(dirty));
          const found = await load(contentOf(dirty), { ...data, ...files });
          const read = found.rejected?.reduce((sum, { rows }) => sum + rows, 0);
          expect(read).toBe(insertions.length * (way === 'files' ? 2 : 1));
          folder.write('one.csv', csv(rows));
          const expected = await load(contentOf(rows), { ...data, ...files, badRows: 'error' });
          expect(allOf(found.train.features)).toEqual(allOf(expected.train.features));
          expect(found.train.targets).toEqual(expected.train.targets);
          expect(found.encodings).toEqual(expected.encodings);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('holds for files of held-out rows, with the kinds of the training file', async () => {
    folder.write('test.csv', csv(['x,1,2', 'y,1,2', '1,2,3']));
    const dataset = await load(csv(ROWS), { test: 'test.csv' });
    expect([dataset.train.rows, dataset.test?.rows]).toEqual([ROWS.length, 1]);
    expect(listed(dataset.rejected).map((line) => line.slice(0, 10))).toEqual(['test.csv,2', 'test.csv,3']);
  });

  it('decides on all rows whether a target is a number, not on the first', async () => {
    const dataset = await load(csv(['1,2,none here', ...ROWS]));
    expect([dataset.task, dataset.train.rows]).toEqual(['regression', ROWS.length]);
  });

  it('leaves missing cells to data.missing', async () => {
    const { message } = await rejection(load(csv(['1,,2', ...ROWS, '1,2'])));
    expect(message).toMatch(/data\.csv:2: column "b": found a missing value/);
    const dataset = await load(csv(['1,,2', ...ROWS, '1,2']), { missing: 'drop-row' });
    expect([dataset.train.rows, listed(dataset.rejected).length]).toEqual([ROWS.length, 1]);
    expect(dataset.dropsMissing).toEqual(['a', 'b']);
  });

  it('refuses a file whose rows are all bad, and what is wrong with the whole file', async () => {
    folder.write('v.csv', csv(['1,2', '3']));
    const { message } = await rejection(load(csv(ROWS), { validation: 'v.csv' }));
    expect(message).toMatch(/v\.csv:2: found 2 fields, expected 3/);
    for (const [content, problem] of [
      [csv([...ROWS, '1,"2,3']), /:8: column "b": .*quote/],
      [csv([...ROWS, '1,2\0,3']), /NUL/],
    ] as const) {
      const failed = await rejection(load(content));
      expect([failed.exitCode, failed.message]).toEqual([ExitCode.data, expect.stringMatching(problem)]);
    }
  });
});

describe('data.badRows: skip, in JSON Lines', () => {
  const sound = ROWS.map((row) => {
    const [a, b, y] = row.split(',').map(Number);
    return JSON.stringify({ a, b, y });
  });

  it('leaves out lines that are no objects of cells, and takes no names from them', async () => {
    const content = [
      ...sound.slice(0, 2),
      '{"a": 1, "strange": 2, "new": }',
      '{"a": 1, "b": [1, 2], "y": 3}',
      '',
      ...sound.slice(2),
      '{"a": "Total", "b": 2, "y": 3}',
      '{"new": 1, "a": 2',
      'Total',
    ].join('\n');
    const dataset = await load(content, {}, 'data.jsonl');
    const expected = await load(csv(ROWS));
    expect(allOf(dataset.train.features)).toEqual(allOf(expected.train.features));
    expect(dataset.encodings).toEqual(expected.encodings);
    const values = 'expected a number, text, true, false or null';
    expect(listed(dataset.rejected)).toEqual([
      `data.jsonl,3,"column ""new"": found ""}"", ${values}","{""a"": 1, ""strange"": 2, ""new"": }"`,
      `data.jsonl,4,"column ""b"": found an array, ${values}","{""a"": 1, ""b"": [1, 2], ""y"": 3}"`,
      'data.jsonl,10,"column ""a"": found ""Total"", expected a number","Total,2,3"',
      'data.jsonl,11,"found the end of the line, expected a comma or }","{""new"": 1, ""a"": 2"',
      'data.jsonl,12,"found ""Total"", expected an object, as in {""age"": 31, ""city"": ""Bern""}",Total',
    ]);
    expect(dataset.warnings.join('\n')).toContain(
      `5 rows that can't be read are skipped: 4 that are no objects of cells, 1 with no number in column "a"; first on line 3`,
    );
  });

  it('refuses a file whose lines are all bad, and the first one without the key', async () => {
    const { message } = await rejection(load('{"a": 1\n{"a"\n', {}, 'data.jsonl'));
    expect(message).toMatch(/data\.jsonl:1:8: found the end of the line/);
    const first = await rejection(load(`${sound.join('\n')}\n{"a"\n`, { badRows: 'error' }, 'data.jsonl'));
    expect(first.message).toMatch(/data\.jsonl:7:5: found the end of the line/);
  });
});

describe('data.badRows: skip, in Parquet', () => {
  const bytes = readFileSync(projectPath('test/fixtures/parquet/bad.parquet'));
  const config = { task: 'regression', missing: { y: 'drop-row' } } as const;

  it('leaves out infinite numbers, and other text in a target of numbers', async () => {
    const dataset = await load(bytes, config, 'data.parquet');
    // 45 rows, a bad cell in three and no target in one
    expect(dataset.train.rows).toBe(41);
    expect(listed(dataset.rejected)).toEqual([
      'data.parquet,4,"column ""a"": found ""Infinity"", expected a number","Infinity,10,4.5"',
      'data.parquet,28,"column ""a"": found ""Infinity"", expected a number","Infinity,2,n/b"',
      'data.parquet,42,"column ""y"": found ""x, y"", expected a number","10.25,1,""x, y"""',
    ]);
    expect(dataset.warnings.join('\n')).toContain(
      `3 rows that can't be read are skipped: 2 with no number in column "a", 1 with no number in column "y"; first on line 4`,
    );
  });

  it('refuses the first one without the key', async () => {
    const { message } = await rejection(load(bytes, { ...config, badRows: 'error' }, 'data.parquet'));
    expect(message).toMatch(/data\.parquet:4: column "a": found "Infinity", expected a number/);
  });
});

it('makes room for the rows that can be read, not for all short lines of a wide table', async () => {
  const wide = Array.from({ length: 500 }, (_, i) => i).join();
  const content = `${wide.replaceAll(/\d+/g, 'c$&')}\n${wide}\n${'1\n'.repeat(20_000)}`;
  const request = { delimiter: ',', header: true, skipsBadRows: true } as const;
  const file = await openTable(folder.write('data.csv', content), request);
  try {
    const { rows, columns } = await file.read(file.names.map(() => 'numeric'));
    const [column] = columns;
    const values = column?.kind === 'numeric' ? column.values : new Float64Array();
    expect([rows, [...values], file.rejected?.[0].rows]).toEqual([1, [0], 20_000]);
    // Small columns share buffers of 64 KiB.
    expect(values.buffer.byteLength).toBeLessThanOrEqual(2 ** 16);
  } finally {
    file.close();
  }
});

describe('RejectedRows', () => {
  it('keeps more than a mebibyte of rows outside of the memory', () => {
    const rejected = new RejectedRows('a.csv');
    const error = new MlpError(ExitCode.data, 'a.csv:1: found 1 field, expected 2');
    const bad = { kind: 'with another number of fields', error };
    const text = 'x'.repeat(1000);
    for (let line = 1; line <= 3000; line++) rejected.add(bad, line, text);
    const lines = Buffer.concat([...rejected.lines()].map((part) => Buffer.from(part)))
      .toString()
      .split('\n');
    expect(lines).toHaveLength(3001);
    expect(lines[2999]).toBe(`a.csv,3000,"a.csv:1: found 1 field, expected 2",${text}`);
    rejected.clear();
    expect([rejected.rows, [...rejected.lines()].join('')]).toEqual([0, '']);
  });
});
