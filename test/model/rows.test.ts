import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { detectDialect } from '../../src/data/csv/dialect.js';
import { readTable } from '../../src/data/csv/readTable.js';
import { writeFeatures } from '../../src/data/encoding/features.js';
import { matrixIn } from '../../src/data/featureMatrix.js';
import { openTable } from '../../src/data/openTable.js';
import { openSource } from '../../src/data/source/source.js';
import { ExitCode } from '../../src/errors.js';
import type { Model } from '../../src/model/load.js';
import type { ModelContent } from '../../src/model/model.js';
import { PredictorPool } from '../../src/model/pool/predictorPool.js';
import { type ModelRowsOptions, modelRowsOf, requestFor } from '../../src/model/rows.js';
import { Folder, rejection } from '../data/files.js';
import { BINARY, CONTENT, FEATURES, modelOf, networkOf, REGRESSION } from './models.js';

const folder = new Folder();

/** A chunk as it was handed out, in values of its own. */
interface Read {
  x: number[];
  logits: number[];
  cells: readonly (readonly string[])[];
  lines: number[];
  labels?: number[];
  values?: number[];
}

interface ReadOptions extends Partial<ModelRowsOptions> {
  delimiter?: string;
  comment?: string;
  capacity?: number;
  /** How many chunks are asked for; all if left out. */
  chunks?: number;
}

/** Reads a text as the rows of a model; `found` gets the chunks that came before an error. */
async function read(
  model: Model,
  text: string,
  { capacity = 3, chunks, ...options }: ReadOptions = {},
  found: Read[] = [],
) {
  const file = await openTable(
    folder.write('rows.csv', text),
    requestFor(model, options, options.targets !== true),
  );
  try {
    const rows = modelRowsOf(file, model, { targets: false, ...options });
    const pool = PredictorPool.create(model, { capacity });
    if (chunks === 0) return { rows, found };
    for await (const { logits, cells, lines, targets, ...chunk } of rows.chunks(pool)) {
      const [{ x }] = pool.parts;
      found.push({
        x: [...x.data.subarray(0, chunk.rows * x.columns)],
        logits: [...logits.data],
        cells,
        lines: [...lines],
        ...(targets &&
          ('labels' in targets ? { labels: [...targets.labels] } : { values: [...targets.values] })),
      });
      if (found.length === chunks) break;
    }
    return { rows, found };
  } finally {
    file.close();
  }
}

/** The message of the error that reading ends in, without the folder. */
async function refusal(model: Model, text: string, options: ReadOptions = {}, found: Read[] = []) {
  const { exitCode, message, hint } = await rejection(read(model, text, options, found));
  expect(exitCode).toBe(ExitCode.data);
  return { message: message.replaceAll(`${folder.path}/`, ''), hint };
}

const csv = (...lines: string[]) => `${lines.join('\n')}\n`;

const HEADER = 'age,city,size,kind';
const ROWS = ['50,Bern,1,a', '30,Oslo,2,b', ',Lyon,3,c', '40,Bern,-1,a', '60,Paris,0,c'];

/** The same model from a training file without a header, in which the target came first. */
const WITHOUT_HEADER: ModelContent = {
  ...CONTENT,
  header: false,
  features: FEATURES.map((feature, i) => ({ ...feature, column: String(i + 1) })),
  targets: ['0'],
};

describe('modelRowsOf', () => {
  it('finds columns by name, in any order', async () => {
    const model = modelOf(CONTENT);
    const { found } = await read(model, csv(HEADER, ...ROWS));
    const turned = ROWS.map((row) => row.split(',').reverse().join(','));
    const other = await read(model, csv('kind,size,city,age', ...turned));
    expect(other.found.map(({ x, logits }) => ({ x, logits }))).toEqual(
      found.map(({ x, logits }) => ({ x, logits })),
    );
  });

  it('lists columns that the model does not know, and takes no notice of what is in them', async () => {
    const { rows, found } = await read(
      modelOf(CONTENT),
      csv('id,age,city,note,size', '1,50,Bern,"a ""b""\nc",1'),
    );
    expect(rows.ignored).toEqual(['id', 'note']);
    expect(rows.targetColumns).toBeUndefined();
    expect(found[0].cells).toEqual([['1', '50', 'Bern', 'a "b"\nc', '1']]);
  });

  it('says where the targets are, and does not look at them unless asked', async () => {
    const { rows } = await read(modelOf(CONTENT), csv(HEADER, '50,Bern,1,neither'));
    expect(rows.targetColumns).toEqual([3]);
    expect(rows.ignored).toEqual([]);
  });

  it('refuses a file without a feature, with the nearest name', async () => {
    expect(await refusal(modelOf(CONTENT), csv('Age_,city,size', '1,Bern,1'))).toEqual({
      message: expect.stringMatching(
        /^rows\.csv: found no column "age", expected all 3 features of .*model\.safetensors$/,
      ),
      hint: 'did you mean "Age_"?',
    });
    const { message, hint } = await refusal(modelOf(CONTENT), csv('u,v,w', '1,2,3'));
    expect(message).toMatch(/found no column "age", "city", "size", expected all 3 features/);
    expect(hint).toBe('the first line must name the columns, as in the training file');
    expect((await refusal(modelOf(CONTENT), csv('age:city:size', '1:2:3'))).hint).toMatch(/single column/);
  });

  it('refuses a file without a target where one is asked for', async () => {
    const { message } = await refusal(modelOf(CONTENT), csv('age,city,size', '1,Bern,1'), { targets: true });
    expect(message).toMatch(/^rows\.csv: found no column "kind", expected the target of /);
  });

  it('takes the delimiter and the comments as it is told', async () => {
    const options = { delimiter: ';', comment: '#' };
    const { found } = await read(
      modelOf(CONTENT),
      csv('# a,b', 'age;city;size', '50;Bern;1', '#', '30;Oslo;2'),
      options,
    );
    expect(found[0].lines).toEqual([3, 5]);
    expect(found[0].cells).toEqual([
      ['50', 'Bern', '1'],
      ['30', 'Oslo', '2'],
    ]);
  });

  it('takes the first line for a row where the training file had no header', async () => {
    const model = modelOf(WITHOUT_HEADER);
    const whole = await read(
      model,
      csv(...ROWS.map((row) => `a,${row.slice(0, -2)}`), ''.padStart(0)).trimEnd(),
    );
    const alone = await read(model, csv(...ROWS.map((row) => row.slice(0, -2))));
    expect(whole.rows.targetColumns).toEqual([0]);
    expect(alone.rows.targetColumns).toBeUndefined();
    expect(alone.found.map(({ x }) => x)).toEqual(whole.found.map(({ x }) => x));
    expect((await read(model, 'a,1,Bern,1,9,9\n')).rows.ignored).toEqual(['4', '5']);
  });

  it('refuses a file without a header that has too few columns', async () => {
    const model = modelOf(WITHOUT_HEADER);
    expect(await refusal(model, '1,Bern\n')).toEqual({
      message: expect.stringMatching(/^rows\.csv: found no column 2, 3, expected all 3 features of /),
      hint: 'columns are counted from 0, and the file has 2',
    });
    expect((await refusal(model, '1,Bern,2\n', { targets: true })).message).toMatch(/found no column 3,/);
  });

  it('takes a header without rows, unless targets are wanted', async () => {
    const header = 'kind,age,city,size';
    for (const end of ['', '\n', '\n\n']) {
      const { rows, found } = await read(modelOf(CONTENT), header + end);
      expect([rows.rows, found, rows.file.names]).toEqual([0, [], header.split(',')]);
    }
    expect((await refusal(modelOf(CONTENT), header, { targets: true })).message).toBe(
      'rows.csv: found a header and nothing after it, expected a header and rows',
    );
  });
});

describe('ModelRows.chunks', () => {
  it('hands out as many rows as the inference takes, encoded, with their cells and lines', async () => {
    const { rows, found } = await read(modelOf(CONTENT), csv(HEADER, ...ROWS));
    expect(found.map(({ lines }) => lines)).toEqual([
      [2, 3, 4],
      [5, 6],
    ]);
    expect(found.flatMap(({ cells }) => cells)).toEqual(ROWS.map((row) => row.split(',')));
    // (age − 40)/10, with 41 for a missing one; whether it is missing; Bern, Lyon, Oslo; size/0.5
    const encoded = [
      [1, 0, 1, 0, 0, 2],
      [-1, 0, 0, 0, 1, 4],
      [0.1, 1, 0, 1, 0, 6],
      [0, 0, 1, 0, 0, -2],
      [2, 0, 0, 0, 0, 0],
    ];
    expect(found.flatMap(({ x }) => x)).toBeAllclose(encoded.flat(), { relative: 1e-7 });
    expect(rows.rows).toBe(5);
  });

  it('gives the numbers of the classes where targets are asked for', async () => {
    const { found } = await read(modelOf(CONTENT), csv(HEADER, ...ROWS), { targets: true });
    expect(found.map(({ labels }) => labels)).toEqual([
      [0, 1, 2],
      [0, 2],
    ]);
    const numbers = modelOf({ ...BINARY, classes: ['0', '1'] });
    const written = await read(numbers, csv(HEADER, '1,Bern,1,1', '1,Bern,1,0', '1,Bern,1,1'), {
      targets: true,
    });
    expect(written.found[0].labels).toEqual([1, 0, 1]);
  });

  it("gives the values of a regression in the targets' own units", async () => {
    const { found } = await read(
      modelOf(REGRESSION),
      csv('v,u,age,city,size', '-1.5,1e300,1,Bern,1', '2,3,1,Oslo,1'),
      {
        targets: true,
      },
    );
    expect(found[0].values).toEqual([1e300, -1.5, 3, 2]);
  });

  it.each([
    ['a word for a number', 'x,Bern,1,a', 'column "age": found "x", expected a number'],
    [
      'a number too large',
      '1e999,Bern,1,a',
      'column "age": found "1e999", expected a number that fits a float64',
    ],
    [
      'a number too large for the network',
      '1e300,Bern,1,a',
      'column "age": found 1e+300, scaled 1e+299, expected a number that fits a float32',
    ],
    ['a gap that has no filling', '1,Bern,,a', 'column "size": found a missing value, expected a number'],
    ['a row too short', '1,Bern', 'found 2 fields, expected 4'],
    ['a missing class', '1,Bern,1,', 'column "kind": found a missing value, expected a value'],
  ])('refuses %s with line and column, after the rows before its chunk', async (_, row, expected) => {
    const found: Read[] = [];
    const text = csv(HEADER, ...ROWS, row, '1,Bern,1,a');
    const { message } = await refusal(modelOf(CONTENT), text, { targets: true, capacity: 5 }, found);
    expect(message).toBe(`rows.csv:7: ${expected}`);
    expect(found.flatMap(({ lines }) => lines)).toEqual([2, 3, 4, 5, 6]);
  });

  it('tells the fault that comes first in the file, though a later one ends the reading', async () => {
    const text = csv(HEADER, ...ROWS, '1,Bern,,a', ...ROWS, 'x,Bern,1,a');
    expect((await refusal(modelOf(CONTENT), text)).message).toMatch(
      /^rows\.csv:7: column "size": found a missing/,
    );
  });

  it('refuses a row whose output is not finite, with its line', async () => {
    const model = modelOf({ ...CONTENT, network: networkOf([9, 3]) });
    const text = csv(HEADER, ...ROWS, '1e38,Bern,1e37,a');
    for (const [, weights] of model.tensors) weights.fill(1e30);
    const { message, hint } = await refusal(model, text, { capacity: 5 });
    expect(message).toMatch(
      /^rows\.csv:\d: found a row whose output is (NaN|-?Infinity), expected a finite one$/,
    );
    expect(hint).toBe('one of its values may be far outside the range of the training rows');
  });

  it('refuses a value beyond double precision in the unit of its target', async () => {
    const model = modelOf(
      { ...REGRESSION, targetStandardization: { mean: [0, 0], scale: [1, 1.7e308] } },
      'float64',
    );
    model.tensors.get('layers.2.bias')?.fill(100);
    const { message } = await refusal(model, csv('age,city,size', '1,Bern,1'));
    expect(message).toBe('rows.csv:2: found a row whose output is Infinity, expected a finite one');
  });

  it('counts the levels that no training row had, and names the first of them', async () => {
    const cities = Array.from({ length: 1500 }, (_, i) => `city ${i}`);
    const text = csv('age,city,size', ...cities.map((city) => `1,${city},1`), '1,Bern,1', '1,city 1,1');
    const { rows } = await read(modelOf(CONTENT), text, { capacity: 64 });
    const warnings = rows.warnings().map((warning) => warning.replaceAll(`${folder.path}/`, ''));
    expect(warnings).toHaveLength(6);
    expect(warnings[0]).toBe(
      'rows.csv: column "city": 1 row holds "city 0", which no training row had: it counts as none of the known levels',
    );
    expect(warnings[1]).toMatch(/: 2 rows hold "city 1", /);
    expect(warnings[5]).toBe('rows.csv: more than 995 more levels were in no training row');
    expect((await read(modelOf(CONTENT), csv(HEADER, ...ROWS.slice(0, 4)))).rows.warnings()).toEqual([]);
  });

  it('reads on only as chunks are asked for, a piece of 256 KiB at a time', async () => {
    const row = '50,Bern,1,a';
    const text = csv(HEADER, ...new Array(50_000).fill(row));
    let done = 0;
    const progress = (bytes: number) => {
      done = bytes;
    };
    const capacity = 256;
    const chunksOfPiece = Math.ceil(2 ** 18 / (row.length + 1) / capacity);
    await read(modelOf(CONTENT), text, { capacity, chunks: 1, progress });
    expect(done).toBe(0);
    await read(modelOf(CONTENT), text, { capacity, chunks: chunksOfPiece, progress });
    expect(done).toBe(2 ** 18);
  });

  it('encodes rows as a table of the whole file is encoded, wherever chunks begin', async () => {
    const cell = fc.oneof(fc.double({ noNaN: true, min: -1e6, max: 1e6 }).map(String), fc.constant(''));
    const city = fc.constantFrom('Bern', 'Lyon', 'Oslo', '"Os\nlo"', 'Rome', '007');
    const row = fc.tuple(cell, city, fc.double({ noNaN: true, min: -1e6, max: 1e6 }).map(String));
    const model = modelOf(CONTENT);
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 9 }),
        async (cells, capacity) => {
          const text = csv('age,city,size', ...cells.map((row) => row.join(',')));
          const { found } = await read(model, text, { capacity });
          const source = await openSource(folder.write('whole.csv', text));
          const dialect = await detectDialect(source, { delimiter: ',', header: true });
          const table = await readTable(source, dialect, { kinds: () => ['numeric', 'text', 'numeric'] });
          source.close();
          const data = new Float32Array(6 * table.rows);
          const place = Int32Array.from({ length: table.rows }, (_, i) => i);
          writeFeatures(table, [0, 1, 2], FEATURES, place, matrixIn({ data, columns: 6 }));
          expect(found.flatMap(({ x }) => x)).toEqual([...data]);
          expect(found.flatMap(({ lines }) => lines)).toEqual([...table.lines]);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('gives a row the same logits wherever it stands in a file', async () => {
    const model = modelOf(CONTENT);
    const rows = Array.from({ length: 23 }, (_, i) => `${i * 3},${['Bern', 'Lyon', 'Oslo'][i % 3]},${i / 7}`);
    const logitsBy = async (rows: readonly string[]) => {
      const { found } = await read(model, csv('age,city,size', ...rows), { capacity: 8 });
      const logits = found.flatMap(({ logits }) => logits);
      return new Map(rows.map((row, i) => [row, logits.slice(3 * i, 3 * i + 3).join()]));
    };
    const expected = await logitsBy(rows);
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(rows, { minLength: 1 }), async (order) => {
        for (const [row, logits] of await logitsBy(order)) expect(logits).toBe(expected.get(row));
      }),
      { numRuns: 20 },
    );
  });
});
