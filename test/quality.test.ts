import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { projectPath } from './support/fixtures.js';

const {
  areaUnderCurve,
  decodeSplit,
  geometricMean,
  logLoss,
  meansOf,
  normalisedRmse,
  parseCsv,
  scorePredictions,
  summarise,
  tables,
} = await import(projectPath('bench/quality/scores.js'));

describe('parseCsv', () => {
  const cellsOf = (text: string) => parseCsv(text).map(({ cells }: { cells: string[] }) => cells);

  it('splits records and cells', () => {
    expect(cellsOf('a,b\n1,\n,2\n')).toEqual([
      ['a', 'b'],
      ['1', ''],
      ['', '2'],
    ]);
    expect(cellsOf('a,b\r\n1,2')).toEqual([
      ['a', 'b'],
      ['1', '2'],
    ]);
  });

  it('keeps commas, quotes and line breaks of quoted cells, and the text of each record', () => {
    const text = 'a,b\n"x, ""y""","line\nbreak"\n3,4\n';
    expect(cellsOf(text)).toEqual([
      ['a', 'b'],
      ['x, "y"', 'line\nbreak'],
      ['3', '4'],
    ]);
    expect(parseCsv(text)[1].text).toBe('"x, ""y""","line\nbreak"');
  });

  it('refuses a stray quote', () => {
    expect(() => parseCsv('a,b\n1"2,3\n')).toThrow('found a stray quote');
  });
});

describe('decodeSplit', () => {
  it('reads one bit a row, the first row highest', () => {
    const base64 = deflateSync(Buffer.from([0b10100000, 0b01000000])).toString('base64');
    const rows = decodeSplit(base64, 10);
    expect(rows.flatMap((isTest: boolean, row: number) => (isTest ? [row] : []))).toEqual([0, 2, 9]);
    expect(() => decodeSplit(base64, 17)).toThrow('expected 3 for 17 rows');
  });
});

describe('scores', () => {
  it('computes the RMSE over the standard deviation', () => {
    // Deviations 1, 1, 1, 1 of the mean 1; errors 1, 1, 0, 0.
    expect(normalisedRmse([0, 2, 0, 2], [1, 1, 0, 2])).toBeCloseTo(Math.sqrt(0.5), 12);
    expect(normalisedRmse([0, 2, 0, 2], [1, 1, 1, 1])).toBe(1);
  });

  it('computes the log loss of probabilities that are normalised first', () => {
    const loss = logLoss(
      ['a', 'b'],
      ['a', 'b'],
      [
        [1, 3],
        [0.5, 0.5],
      ],
    );
    expect(loss).toBeCloseTo((Math.log(4) + Math.log(2)) / 2, 12);
    expect(logLoss(['a'], ['a', 'b'], [[0, 1]])).toBeCloseTo(15 * Math.log(10), 12);
  });

  it('computes the area under the curve, ties half', () => {
    const isPositive = [false, true, false, true];
    expect(areaUnderCurve(isPositive, [1, 2, 3, 4])).toBe(0.75);
    expect(areaUnderCurve(isPositive, [5, 5, 5, 5])).toBe(0.5);
    // Pairs (0, 1) won, (0, 3) tied, (2, 1) tied, (2, 3) lost.
    expect(areaUnderCurve(isPositive, [0.1, 0.4, 0.4, 0.1])).toBe(0.5);
  });

  it('scores classes by their labels, and the second class is the positive one', () => {
    const probabilities = [
      [0.9, 0.1],
      [0.6, 0.4],
      [0.3, 0.7],
    ];
    const scores = scorePredictions(['no', 'yes', 'yes'], {
      labels: ['no', 'no', 'yes'],
      classes: ['no', 'yes'],
      probabilities,
    });
    expect(scores.error).toBeCloseTo(1 / 3, 12);
    expect(scores.auc).toBe(1);
    expect(() => scorePredictions(['1'], { values: [] })).toThrow('found 0 predictions, expected 1');
  });
});

describe('means and tables', () => {
  const result = (contender: string, set: string, seed: number, scores: object, rest = {}) => ({
    contender,
    isOurs: contender === 'mlp',
    version: '1',
    set,
    seed,
    scores,
    cpuSeconds: 2,
    wallSeconds: 3,
    date: '2026-01-02T00:00:00.000Z',
    ...rest,
  });
  const results = [
    result('lightgbm', 'x', 0, { error: 0.2, logLoss: 0.5 }),
    result('lightgbm', 'y', 0, { nrmse: 0.4 }),
    result('mlp', 'x', 0, { error: 0.9, logLoss: 0.9 }, { version: '0' }),
    result('mlp', 'x', 0, { error: 0.1, logLoss: 0.5 }),
    result('mlp', 'x', 1, { error: 0.3, logLoss: 1.5 }),
    result('mlp', 'y', 0, { nrmse: 0.8 }),
  ];

  it('averages the seeds of the last version', () => {
    const mlp = meansOf(results)[1];
    expect(mlp.seeds).toBe(2);
    expect(mlp.sets.get('x').score).toBeCloseTo(0.2, 12);
    expect(mlp.sets.get('x').logLoss).toBe(1);
    expect(mlp.sets.get('x').cpuSeconds).toBe(2);
  });

  it('takes geometric means of ratios to LightGBM', () => {
    expect(geometricMean([1, 4])).toBeCloseTo(2, 12);
    const [baseline, mlp] = summarise(meansOf(results));
    expect(baseline).toMatchObject({ ratio: 1, wins: 2, worst: 1, cpuSeconds: 4 });
    expect(mlp.ratio).toBeCloseTo(Math.SQRT2, 12);
    expect(mlp.classes).toBeCloseTo(1, 12);
    expect(mlp.numbers).toBeCloseTo(2, 12);
    expect(mlp.logLoss).toBeCloseTo(2, 12);
    expect(mlp.worst).toBeCloseTo(2, 12);
  });

  it('leaves cells empty where nothing was measured', () => {
    const text = tables(results.slice(0, 4));
    expect(text).toMatch(/^\| y +\| +0\.4000 \| +\|$/m);
    expect(text).toMatch(/^\| lightgbm +\| +2 × 1 \| 1\.000 \|/m);
  });
});
