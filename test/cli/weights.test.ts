/** Weights as users mean them: n is n rows, 0 is none, and weights that say nothing are refused. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folderOf, mlpHere } from '../support/cli.js';

/** Rows that look random: four features, a class, and a weight from 0 to 3. */
const ROWS = Array.from({ length: 60 }, (_, i) => {
  const cell = (k: number) => Math.sin(1000 * (i + 1) * (k + 1));
  const x = [0, 1, 2, 3].map(cell);
  return { x, y: x[0] + 0.3 * cell(5) > 0 ? 'yes' : 'no', weight: (i * 7) % 4 };
});
type Row = (typeof ROWS)[number];

const csvOf = (rows: readonly Row[], weighted = false) =>
  [
    ['a', 'b', 'c', 'd', 'y', ...(weighted ? ['w'] : [])],
    ...rows.map(({ x, y, weight }) => [...x, y, ...(weighted ? [weight] : [])]),
  ]
    .map((cells) => cells.join(','))
    .join('\n');

/** Batches of all rows, nothing scaled. */
const configOf = (train: string, data: object = {}, training: object = {}) => ({
  network: { layers: [8, 'tanh', 1] },
  data: { train, target: 'y', validation: 0, standardize: false, ...data },
  training: {
    epochs: 40,
    batchSize: 1000,
    optimizer: { type: 'sgd', learningRate: 0.1 },
    ...training,
  },
  dtype: 'float64',
  seed: 1,
});

const repeated = (weightOf: (row: Row) => number) =>
  ROWS.flatMap((row) => Array<Row>(weightOf(row)).fill(row));

/** The last epoch's loss, and the probabilities of all rows. */
async function trained(config: object, files: Record<string, string>) {
  const cwd = folderOf({ 'c.json': config, 'all.csv': csvOf(ROWS), ...files });
  const run = await mlpHere(['train', 'c.json', '--json', '--run', 'run'], { cwd });
  expect(run.code, run.stderr).toBe(0);
  const { stdout } = await mlpHere(['predict', 'run', 'all.csv'], { cwd });
  const epochs = readFileSync(join(cwd, 'run/epochs.csv'), 'utf8').trimEnd().split('\n');
  const probabilities = stdout
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => Number(line.split(',').at(-1)));
  expect(probabilities).toHaveLength(ROWS.length);
  return {
    epochs: epochs.length - 1,
    end: JSON.parse(run.stdout.trimEnd().split('\n').at(-1) ?? ''),
    probabilities,
  };
}

describe('a row of weight n', () => {
  it.each([
    ['in a column', { weights: { column: 'w' } }, ({ weight }: Row) => weight],
    ['by class', { weights: { yes: 3, no: 2 } }, ({ y }: Row) => (y === 'yes' ? 3 : 2)],
    ['of a class that counts nothing', { weights: { yes: 0, no: 2 } }, ({ y }: Row) => (y === 'yes' ? 0 : 2)],
  ])('trains as n rows: %s', async (_, data, weightOf) => {
    const weighted = await trained(
      configOf('w.csv', 'column' in data.weights ? data : { ...data, exclude: ['w'] }),
      {
        'w.csv': csvOf(ROWS, true),
      },
    );
    const rows = repeated(weightOf);
    // A class without rows is known from a row that is not trained on.
    const all = [...rows, ...ROWS.filter((row) => weightOf(row) === 0).slice(0, 1)];
    const marks = { validation: { column: 'part', value: 'other' } };
    const marked = csvOf(all)
      .split('\n')
      .map((line, i) => `${line},${i === 0 ? 'part' : i > rows.length ? 'other' : 'train'}`)
      .join('\n');
    const hasOther = all.length > rows.length;
    const expected = await trained(
      hasOther ? configOf('r.csv', marks, { keep: 'last' }) : configOf('r.csv'),
      { 'r.csv': hasOther ? marked : csvOf(rows) },
    );
    expect(weighted.probabilities).toBeAllclose(expected.probabilities, { relative: 1e-9 });
    expect([weighted.end.train.loss]).toBeAllclose([expected.end.train.loss], { relative: 1e-9 });
  });

  it('stops early and keeps the epoch as n rows would', async () => {
    const training = {
      epochs: 300,
      earlyStopping: { patience: 5 },
      optimizer: { type: 'adam', learningRate: 0.05 },
    };
    const held = ROWS.slice(40);
    const [weighted, expected] = [
      await trained(configOf('t.csv', { validation: 'v.csv', weights: { column: 'w' } }, training), {
        't.csv': csvOf(ROWS.slice(0, 40), true),
        'v.csv': csvOf(held, true),
      }),
      await trained(configOf('t.csv', { validation: 'v.csv' }, training), {
        't.csv': csvOf(repeated(({ weight }) => weight).filter((row) => !held.includes(row))),
        'v.csv': csvOf(held.flatMap((row) => Array<Row>(row.weight).fill(row))),
      }),
    ];
    expect(weighted.epochs).toBeLessThan(300);
    expect(weighted.epochs).toBe(expected.epochs);
    expect(weighted.end.keptEpoch).toBe(expected.end.keptEpoch);
    expect(weighted.probabilities).toBeAllclose(expected.probabilities, { relative: 1e-6 });
  });

  it('resumes and repeats to the same bits', async () => {
    const config = configOf('w.csv', { weights: { column: 'w' } }, { epochs: 6, batchSize: 7 });
    const cwd = folderOf({ 'c.json': config, 'w.csv': csvOf(ROWS, true) });
    const train = async (...args: string[]) => {
      const { stdout, stderr, code } = await mlpHere(['train', 'c.json', '--json', ...args], { cwd });
      expect(code, stderr).toBe(0);
      return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '').weightsSha256;
    };
    const whole = await train('--run', 'whole');
    await train('--run', 'half', '--set', 'training.epochs=3');
    expect(await train('--resume', 'half', '--extend')).toBe(whole);
    expect((await mlpHere(['repro', 'whole'], { cwd })).code).toBe(0);
  });
});

describe('weights that are all 0', () => {
  const csv = ['x,w,y', ...Array.from({ length: 40 }, (_, i) => `${i % 7},0,${'ab'[i % 2]}`)].join('\n');

  it.each([
    [
      'a column',
      { column: 'w' },
      65,
      'error: d.csv: found the weight 0 in all 40 rows, expected at least one weight above 0',
    ],
    [
      'every class',
      { a: 0, b: 0 },
      78,
      'error: c.json:1:76: data.weights: found 0 for every class, expected at least one weight above 0',
    ],
  ])('are refused: %s', async (_, weights, code, message) => {
    const config = { network: { layers: [4, 1] }, data: { train: 'd.csv', target: 'y', weights } };
    const result = await mlpHere(['train', 'c.json', '--run', 'r'], {
      cwd: folderOf({ 'c.json': config, 'd.csv': csv }),
    });
    expect(result.code).toBe(code);
    expect(result.stderr.split('\n')[0]).toBe(message);
  });

  it.each(['inf', '1e999', 'nan', '', '-1', '-1e-300', '0x1', 'abc'])(
    'and a weight of "%s" is refused with its line',
    async (weight) => {
      const bad = csv.replaceAll(',0,', ',1,').replace('2,1,a', `2,${weight},a`);
      const config = {
        network: { layers: [4, 1] },
        data: { train: 'd.csv', target: 'y', weights: { column: 'w' } },
      };
      const { code, stderr } = await mlpHere(['train', 'c.json', '--run', 'r'], {
        cwd: folderOf({ 'c.json': config, 'd.csv': bad }),
      });
      expect(code).toBe(65);
      expect(stderr).toMatch(
        /^error: d\.csv:4: column "w": found .*, expected a (number|weight of at least 0)/,
      );
    },
  );

  it.each([-1, -1e-300, null, '1'])('and so is %s for a class', async (weight) => {
    const config = {
      network: { layers: [4, 1] },
      data: { train: 'd.csv', target: 'y', weights: { a: weight } },
    };
    const { code, stderr } = await mlpHere(['train', 'c.json', '--run', 'r'], {
      cwd: folderOf({ 'c.json': config, 'd.csv': csv }),
    });
    expect(code).toBe(78);
    expect(stderr).toMatch(
      /^error: c\.json:1:81: data\.weights\.a: found .*, expected a number of at least 0/,
    );
  });
});
