/** The matrix that a plain file becomes, held to the arithmetic it stands for. */
import { describe, expect, it, vi } from 'vitest';
import { readTable } from '../../../src/data/csv/readTable.js';
import { createFeatureMatrix } from '../../../src/data/featureMatrix.js';
import { ReaderPool } from '../../../src/data/numeric/readerPool.js';
import { fitStandardization, type Scaling, transformed } from '../../../src/data/scaling.js';
import { ExitCode } from '../../../src/errors.js';
import type { DType } from '../../../src/kernels/kernels.js';
import { Folder, rejection } from '../files.js';
import { fitFile, fitText, THREADED, TINY, uniform, withNumericFile, withSource } from './support.js';

const folder = new Folder();

/** [rows][columns] of cells, by what makes one of a number. */
function randomCells(rows: number, columns: number, spell: (x: number, i: number) => string): string[][] {
  const next = uniform(rows * columns);
  return Array.from({ length: rows }, (_, i) =>
    Array.from({ length: columns }, () => spell(next.next().value * 20 - 10, i)),
  );
}

function contentOf(cells: readonly (readonly string[])[]): string {
  const names = cells[0].map((_, j) => `c${j}`);
  return `${[names, ...cells].map((row) => row.join(',')).join('\n')}\n`;
}

/** Row i of the file goes to row order[i]. */
function shuffled(rows: number): Int32Array {
  const next = uniform(rows);
  const order = Int32Array.from({ length: rows }, (_, i) => i);
  for (let i = rows - 1; i > 0; i--) {
    const j = Math.floor(next.next().value * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** As NumPy interpolates. */
function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const [a, b] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  const rest = at - Math.floor(at);
  return rest >= 0.5 ? b - (b - a) * (1 - rest) : a + (b - a) * rest;
}

const SPELLINGS = {
  '8 digits': (x: number) => String(Number(x.toPrecision(8))),
  '17 digits': (x: number) => String(x),
  'mostly 3 digits': (x: number, i: number) => (i % 211 === 7 ? String(x / 1e6) : x.toFixed(2)),
  integers: (x: number) => String(Math.round(x * 20)),
  pixels: (x: number, i: number) =>
    i % 40 === 9
      ? ['-7', '1e2', '.5', '1000', '-0', '07'][Math.abs(Math.round(x)) % 6]
      : String(Math.abs(Math.round(x * 25))),
  'tiny ones': (x: number) => x.toExponential(4).replace(/e.*/, 'e-30'),
};

describe.each(Object.entries(SPELLINGS))('fit, of numbers with %s', (_, spell) => {
  const rows = 700;
  const columns = 5;
  const cells = randomCells(rows, columns, spell);
  const content = contentOf(cells);
  const values = cells.map((row) => row.map(Number));
  const place = shuffled(rows);
  const trainRows = 500;

  it.each<[DType, Scaling]>([
    ['float32', 'standard'],
    ['float32', 'minmax'],
    ['float32', 'none'],
    ['float32', 'robust'],
    ['float64', 'standard'],
    ['float64', 'minmax'],
    ['float64', 'none'],
    ['float64', 'robust'],
  ])('writes (x − shift) / scale, clipped if asked for, as %s, scaling %s', async (dtype, scaling) => {
    const done = await fitText(folder, content, { columns, scaling, dtype, place, trainRows });
    if (!done) throw new Error('the file was declined');
    const round = dtype === 'float32' ? Math.fround : (x: number) => x;
    const expected = new Float64Array(rows * columns);
    values.forEach((row, i) => {
      row.forEach((x, j) => {
        expected[place[i] * columns + j] = round(transformed(x, done.fitted[j]));
      });
    });
    expect(Float64Array.from(done.data)).toEqual(expected);
    const options = { columns, scaling, dtype, place, trainRows, bytesOfPart: 3000 };
    expect((await fitText(folder, content, options))?.data).toEqual(done.data);
  });

  it('fits as the two-pass algorithm does on the training rows', async () => {
    const done = await fitText(folder, content, { columns, place, trainRows });
    const train = values.filter((_, i) => place[i] < trainRows);
    const { mean, scale } = fitStandardization(Float64Array.from(train.flat()), columns);
    expect(done?.fitted.map(({ scale }) => scale)).toBeAllclose([...scale], { relative: 1e-12 });
    const absolute = 1e-12 * Math.max(...scale);
    expect(done?.fitted.map(({ shift }) => shift)).toBeAllclose([...mean], { absolute });
    const column = (j: number) => train.map((row) => row[j]);
    const bounds = train[0].map((_, j) => [Math.min(...column(j)), Math.max(...column(j))]);
    expect(done?.fitted.map(({ range }) => range)).toEqual(bounds);
  });

  it.each(['float32', 'float64'] as const)(
    'finds the quartiles of the training rows, in %s',
    async (dtype) => {
      const cellsOf = (j: number) => values.filter((_, i) => place[i] < trainRows).map((row) => row[j]);
      const options = { columns, scaling: 'robust' as const, dtype, place, trainRows };
      const tuning = { ...THREADED, chunkBytes: 1000 };
      for (const keptBytes of [0, 2 ** 20]) {
        for (const threads of [1, 2, 3]) {
          const done = await fitText(folder, content, {
            ...options,
            threads,
            tuning: { ...tuning, keptBytes },
          });
          done?.fitted.forEach((column, j) => {
            const sorted = cellsOf(j).sort((a, b) => a - b);
            const at = (share: number) => quantile(sorted, share);
            const spread = at(0.75) - at(0.25);
            expect(column).toMatchObject({
              shift: at(0.5) + 0,
              scale: spread || (sorted[sorted.length - 1] - sorted[0]) / 2,
              clip: 3,
            });
          });
          expect(done?.fitted).toHaveLength(columns);
        }
      }
    },
  );

  it('gives the same bits for any number of threads', async () => {
    const options = { columns, place, trainRows, tuning: { ...THREADED, chunkBytes: 1000 } };
    const expected = await fitText(folder, content, options);
    expect(expected).not.toBeNull();
    for (const threads of [2, 3])
      expect(await fitText(folder, content, { ...options, threads })).toEqual(expected);
  });

  it('reads numbers in quotes as those without', async () => {
    const rows = Array.from({ length: 200 }, (_, i) => [`${i}`, `${i / 7}`, `-${i}.25e-1`, `text, ${i}\n`]);
    const plain = `a,b,c,d\n${rows.map((row) => `${row.slice(0, 3).join(',')},x\n`).join('')}`;
    const quoted = `a,b,c,d\n${rows.map((row) => `"${row.join('","')}"\r\n`).join('')}`;
    const expected = await fitText(folder, plain, { columns: 3, scaling: 'none' });
    for (const tuning of [{}, TINY, { ...THREADED, chunkBytes: 100 }]) {
      const options = { columns: 3, scaling: 'none', tuning, threads: 2 } as const;
      expect(await fitText(folder, quoted, options)).toEqual(expected);
    }
  });

  it('writes the same numbers wherever chunks and blocks end', async () => {
    const few = contentOf(cells.slice(0, 40));
    const options = { columns, scaling: 'minmax' as const, place: shuffled(40), trainRows: 30 };
    const expected = await fitText(folder, few, options);
    expect(expected).not.toBeNull();
    for (const chunkBytes of [1, 10, 63, 64, 500]) {
      for (const blockCells of [1, 7, 64]) {
        expect(await fitText(folder, few, { ...options, tuning: { chunkBytes, blockCells } })).toEqual(
          expected,
        );
      }
    }
  });
});

describe('NumericFile.fit', () => {
  it('reads the file once, whatever columns hold that are no features', async () => {
    const readAgain = vi.spyOn(ReaderPool.prototype, 'readAll');
    const rows = Array.from({ length: 9 }, (_, i) => `${i / 7},9007199254740993,word,${i}.5`);
    const content = `a,b,c,d\n${rows.join('\n')}\n`;
    const done = await fitText(folder, content, { columns: 4, features: [0, 3], scaling: 'none' });
    expect([...(done?.data ?? [])]).toEqual(rows.flatMap((_, i) => [Math.fround(i / 7), i + 0.5]));
    expect(readAgain).not.toHaveBeenCalled();
  });

  it.each([
    ['8 digits', '8 digits', 2 ** 20, ['scan', 'fit', 'scale']],
    ['17 digits', '17 digits', 2 ** 20, ['scan', 'fit', 'write']],
    ['8 digits if none may be kept', '8 digits', 0, ['scan', 'fit', 'scale']],
    ['8 digits after a zero if none may be kept', 'below 1', 0, ['scan', 'fit', 'scale']],
    ['a longer one in the first rows, if none may be kept', 'some of 10', 0, ['scan', 'fit', 'scale']],
  ] as const)('goes over numbers of %s as often as needed', async (_, spelling, keptBytes, kinds) => {
    const below1 = (x: number) => String(Number((x / 10).toFixed(8)));
    const someOf10 = (x: number, i: number) => (i < 10 ? x.toFixed(9) : x.toFixed(2));
    const spell = { ...SPELLINGS, 'below 1': below1, 'some of 10': someOf10 }[spelling];
    const run = vi.spyOn(ReaderPool.prototype, 'run');
    const tuning = { chunkBytes: 500, keptBytes };
    await fitText(folder, contentOf(randomCells(2000, 3, spell)), { columns: 3, tuning });
    expect(run.mock.calls.map(([{ kind }]) => kind)).toEqual(kinds);
    run.mockRestore();
  });

  it.each([0, 2 ** 20])('fits long numbers beside short ones if %i bytes may be kept', async (keptBytes) => {
    const long = randomCells(300, 4, SPELLINGS['17 digits']);
    const short = randomCells(300, 4, SPELLINGS.pixels);
    const cells = long.map((row, i) => row.map((cell, j) => (j % 2 === 1 ? cell : short[i][j])));
    const place = shuffled(300).map((row) => (row < 290 ? row : -1));
    const tuning = { ...THREADED, chunkBytes: 2000, blockCells: 64, keptBytes };
    const options = { columns: 4, features: [3, 0, 1], place, trainRows: 200, tuning };
    for (const threads of [1, 2]) {
      const done = await fitText(folder, contentOf(cells), { ...options, threads });
      if (!done) throw new Error('the file was declined');
      cells.forEach((row, i) => {
        if (place[i] < 0) return;
        const expected = done.fitted.map(({ shift, scale }, j) =>
          Math.fround((Number(row[options.features[j]]) - shift) / scale),
        );
        expect([...done.data.subarray(place[i] * 3, place[i] * 3 + 3)]).toEqual(expected);
      });
    }
  });

  it('takes chosen columns in any order, and leaves rows out', async () => {
    const content = 'a,b,c,d\n1,x,10,100\n2,y,20,200\n3,z,30,300\n4,,40,400\n';
    const options = { columns: 4, features: [3, 0, 2], scaling: 'none' as const, tuning: TINY };
    const done = await fitText(folder, content, { ...options, place: Int32Array.of(1, -1, 2, 0) });
    expect([...(done?.data ?? [])]).toEqual([400, 4, 40, 100, 1, 10, 300, 3, 30]);
  });

  it('scales columns each in its own way, and finds their ranges', async () => {
    const content = 'a,b,c,d,e\n1,1,1,0.1,7\n2,2,2,0.1,7\n4,4,4,0.1,8\n';
    const scaling = ['standard', 'minmax', 'none', 'standard', 'minmax'] as const;
    const options = { columns: 5, scaling, dtype: 'float64' as const, place: Int32Array.of(0, 1, 2) };
    const done = await fitText(folder, content, { ...options, trainRows: 2 });
    expect(done?.fitted).toEqual([
      { shift: 1.5, scale: 0.5, range: [1, 2] },
      { shift: 1, scale: 1, range: [1, 2] },
      { shift: 0, scale: 1, range: [1, 2] },
      { shift: 0.1, scale: 1, range: [0.1, 0.1] },
      { shift: 7, scale: 1, range: [7, 7] },
    ]);
    expect([...(done?.data ?? [])].slice(10)).toEqual([5, 3, 4, 0, 1]);
  });

  it('keeps −0, and gives no shift of −0', async () => {
    const done = await fitText(folder, 'a,b\n-0,-0\n-0.0,1\n-0e5,1\n', { columns: 2, scaling: 'minmax' });
    expect(done?.fitted.map(({ shift }) => Object.is(shift, 0))).toEqual([true, true]);
    expect([...(done?.data ?? [])].filter((_, i) => i % 2 === 0)).toEqual([-0, -0, -0]);
  });

  it('is not upset by a mean far from 0', async () => {
    const values = Array.from({ length: 1000 }, (_, i) => 1e9 + (i % 10) / 8);
    const done = await fitText(folder, `x\n${values.join('\n')}\n`, {
      columns: 1,
      tuning: { chunkBytes: 300 },
    });
    const { mean, scale } = fitStandardization(Float64Array.from(values), 1);
    expect([done?.fitted[0].shift ?? 0]).toBeAllclose([mean[0]], { relative: 1e-15 });
    expect([done?.fitted[0].scale ?? 0]).toBeAllclose([scale[0]], { relative: 1e-12 });
  });

  it('declines where variance or range overflow', async () => {
    const content = 'x\n1e308\n-1e308\n';
    expect(await fitText(folder, content, { columns: 1 })).toBeNull();
    expect(await fitText(folder, content, { columns: 1, scaling: 'minmax' })).toBeNull();
  });

  it('leaves room for rows of other files, which are written later', async () => {
    const place = Int32Array.of(0, 1, 3);
    const options = { columns: 1, place, trainRows: 2 };
    const { data = [] } = (await fitText(folder, 'x\n1\n2\n3\n', options)) ?? {};
    expect([data[0], data[1], data[3]]).toEqual([-1, 1, 3]);
  });
});

describe('a cell that is no number', () => {
  const rows = (bad: string) => `a,b\n${'1,2\n2,3\n'.repeat(50)}3,${bad}\n4,5\n6,oops\n`;

  it.each(['x1', ' 7', '1e400', '1_000', '0x10', 'Infinity', '--1', '1.2.3', '1e', '.', '+'])(
    'is the error that csv-parse’s table gives: %s',
    async (bad) => {
      const content = rows(bad);
      const expected = await withSource(folder, content, (source, dialect) =>
        rejection(readTable(source, dialect, { kinds: (names) => names.map(() => 'auto') })),
      );
      for (const tuning of [{}, TINY, { ...THREADED, chunkBytes: 50 }]) {
        const error = await rejection(fitText(folder, content, { columns: 2, tuning, threads: 2 }));
        expect([error.exitCode, error.message, error.hint]).toEqual([
          ExitCode.data,
          expected.message,
          expected.hint,
        ]);
      }
    },
  );

  it.each(['"x1"', '" x 1 "', '"1e400"', '"1,5"', '"two\nlines"', '"say ""1"""', '5"'])(
    'is that error in quotes, and below line breaks in quotes: %s',
    async (bad) => {
      const content = `a,b,c\n${'"1",2,"one\n"\n2,"3","\r\n"\n'.repeat(50)}3,${bad},x\n4,5,x\n6,oops,x\n`;
      const expected = await withSource(folder, content, (source, dialect) =>
        rejection(readTable(source, dialect, { kinds: (names) => names.map(() => 'auto') })),
      );
      expect(expected.message).toContain('plain.csv:202: column "b"');
      for (const tuning of [{}, TINY, { ...THREADED, chunkBytes: 50 }]) {
        const error = await rejection(fitText(folder, content, { columns: 2, tuning, threads: 2 }));
        expect([error.message, error.hint]).toEqual([expected.message, expected.hint]);
      }
    },
  );

  it('is found in the first of several rows, whatever the column', async () => {
    const error = await rejection(fitText(folder, 'a,b\n1,2\n3,4\n5,six\nseven,8\n9,10\n', { columns: 2 }));
    expect(error.message).toContain('plain.csv:4: column "b": found "six"');
  });

  it('declines the file where most cells are none', async () => {
    const content = `a,b\n${'1,2\n'.repeat(3)}${'1,x\n'.repeat(5)}`;
    expect(await fitText(folder, content, { columns: 2 })).toBeNull();
  });

  it('does not matter in a column that is no feature', async () => {
    const done = await fitText(folder, rows('x'), { columns: 2, features: [0], scaling: 'none' });
    expect(done?.data[100]).toBe(3);
  });
});

describe('a missing cell', () => {
  const content = 'a,b\n1,2\n3,NA\n,6\n7,8\n';

  it('declines the file where it is no error', async () => {
    expect(await fitText(folder, content, { columns: 2, missingIsError: false })).toBeNull();
  });

  it('is an error with the line of the first training row that has one, else of the first row', async () => {
    const message = async (place: Int32Array, trainRows: number) =>
      (await rejection(fitText(folder, content, { columns: 2, place, trainRows }))).message;
    expect(await message(Int32Array.of(0, 1, 2, 3), 4)).toContain(
      'plain.csv:3: column "b": found a missing value, expected a number',
    );
    expect(await message(Int32Array.of(0, 3, 1, 2), 3)).toContain('plain.csv:4: column "a"');
    expect(await message(Int32Array.of(0, 3, 2, 1), 2)).toContain('plain.csv:3: column "b"');
  });

  it('does not matter in a row that is left out', async () => {
    const place = Int32Array.of(0, -1, -1, 1);
    const done = await fitText(folder, content, { columns: 2, place, scaling: 'none' });
    expect([...(done?.data ?? [])]).toEqual([1, 2, 7, 8]);
  });
});

describe('a number that float32 can’t hold', () => {
  it('is an error with its line, unless scaling makes it smaller', async () => {
    for (const spelling of ['1e39', '-340282356779733661637539395458142568448']) {
      const content = `a,b\n1,2\n3,${spelling}\n5,6\n`;
      const error = await rejection(fitText(folder, content, { columns: 2, scaling: 'none' }));
      expect(error.exitCode).toBe(ExitCode.data);
      expect(error.message).toContain(`plain.csv:3: column "b": found ${Number(spelling)}`);
      expect(error.message).toContain('expected a number that fits a float32');
      expect(await fitText(folder, content, { columns: 2 })).not.toBeNull();
      expect(
        await fitText(folder, content, { columns: 2, scaling: 'none', dtype: 'float64' }),
      ).not.toBeNull();
    }
  });
});

describe('NumericFile.write', () => {
  const transforms = [
    { shift: 1, scale: 2 },
    { shift: 0.5, scale: 0.25 },
  ];

  it.each<DType>(['float32', 'float64'])('writes by a scaling fitted elsewhere, as %s', async (dtype) => {
    const content = 'a,b,c\n1,0.1,x\n2,5,y\n3,-7.123456789012345,z\n';
    const round = dtype === 'float32' ? Math.fround : (x: number) => x;
    const expected = [(-7.123456789012345 - 1) / 2, 10, 0, 0, (0.1 - 1) / 2, 2].map(round);
    for (const tuning of [{}, TINY, { ...THREADED, chunkBytes: 9 }]) {
      const matrix = createFeatureMatrix(dtype, 3, 2);
      const place = Int32Array.of(2, -1, 0);
      const written = await withNumericFile(
        folder,
        content,
        { threads: 2 },
        (file) => file?.write([1, 0], transforms, place, matrix),
        tuning,
      );
      expect(written).toBe(true);
      expect([...matrix.parts[0].features.data]).toEqual(expected);
    }
  });

  it('declines a file with a cell that is no number, missing ones among them', async () => {
    for (const cell of ['x', '']) {
      await withNumericFile(folder, `a,b\n1,2\n3,${cell}\n`, {}, async (file) => {
        const matrix = createFeatureMatrix('float32', 2, 2);
        expect(await file?.write([0, 1], transforms, Int32Array.of(0, 1), matrix)).toBe(false);
      });
    }
  });

  it('refuses a number that the matrix can’t hold', async () => {
    await withNumericFile(folder, 'a,b\n1,2\n3,1e39\n', {}, async (file) => {
      const matrix = createFeatureMatrix('float32', 2, 2);
      const written = file?.write([0, 1], transforms, Int32Array.of(0, 1), matrix) ?? Promise.resolve();
      expect((await rejection(written)).message).toContain(
        'plain.csv:3: column "b": found 1e+39, scaled 4e+39',
      );
    });
  });

  it('can go over a file again and again', async () => {
    await withNumericFile(folder, 'a\n1\n2\n', {}, async (file) => {
      if (!file) throw new Error('the file was declined');
      const first = await fitFile(file, { columns: 1 });
      expect(await fitFile(file, { columns: 1 })).toEqual(first);
    });
  });
});
