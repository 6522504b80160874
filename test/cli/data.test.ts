/** Data as users have it: from a pipe, packed, in other dialects, with gaps. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { folderOf, mlp, mlpHere, SMALL_CSV, smallConfig } from '../support/cli.js';

/** Trains on files beside a config, and gives the weights' hash and stderr. */
async function train(
  files: Record<string, unknown>,
  data: Record<string, unknown> = {},
  input?: string | Uint8Array,
) {
  const cwd = folderOf({
    'config.json': smallConfig({ data: { train: 'data.csv', target: 'y', ...data } }),
    ...files,
  });
  const args = ['train', 'config.json', '--json', '--run', 'run', '--backend', 'wasm'];
  const result = await (input === undefined ? mlpHere(args, { cwd }) : mlp(args, { cwd, input }));
  const events = result.stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  return { ...result, cwd, start: events[0], end: events.at(-1) };
}

describe('the same rows', () => {
  it('give the same weights from a file, a gzip of any name, a pipe, a packed pipe, and in another dialect', async () => {
    const plain = await train({ 'data.csv': SMALL_CSV });
    expect(plain.end.weightsSha256).toMatch(/^[0-9a-f]{64}$/);
    const others = await Promise.all([
      train({ 'data.csv': gzipSync(SMALL_CSV) }),
      train({}, { train: '-' }, SMALL_CSV),
      train({}, { train: '-' }, gzipSync(SMALL_CSV)),
      train({ 'data.csv': SMALL_CSV.replaceAll(',', ';').replaceAll('\n', '\r\n') }),
      train({ 'data.csv': SMALL_CSV.replace(/^.*\n/, '') }, { target: 2 }),
    ]);
    expect(others.map(({ code, stderr }) => ({ code, stderr }))).toEqual(
      others.map(() => ({ code: 0, stderr: '' })),
    );
    expect(others.map(({ end }) => end.weightsSha256)).toEqual(others.map(() => plain.end.weightsSha256));
  });
});

it('says in a line how the file was understood', async () => {
  const cwd = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
  const { stderr } = await mlpHere(['train', 'config.json'], { cwd });
  expect(stderr.split('\n')[0]).toBe('data.csv: 20 rows of 3 columns, separated by commas, with a header');
});

it('evaluates test rows once, at the end', async () => {
  const { start, end, stdout } = await train({ 'data.csv': SMALL_CSV }, { test: 0.2 });
  expect(start.rows).toEqual({ train: 12, validation: 4, test: 4 });
  expect(end.test).toEqual({ loss: expect.any(Number), accuracy: expect.any(Number) });
  expect(stdout.split('\n').filter((line) => line.includes('"test":{"loss"'))).toHaveLength(1);
});

it('keeps in the model all that a raw CSV needs', async () => {
  const csv = 'age,city,y\n20,Rome,no\n,Paris,yes\n40,Rome,no\n60,Paris,yes\n';
  const { cwd, code, stderr } = await train(
    { 'data.csv': csv },
    { missing: 'mean', validation: 0, standardize: { age: 'minmax' } },
  );
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const bytes = readFileSync(join(cwd, 'run/model.safetensors'));
  const header = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE())).toString());
  expect(JSON.parse(header.__metadata__.features)).toEqual([
    { kind: 'numeric', column: 'age', shift: 20, scale: 40, fill: 40, range: [20, 60] },
    { kind: 'category', column: 'city', levels: ['Paris', 'Rome'], fill: 'Paris' },
  ]);
  expect(JSON.parse(header.__metadata__.classes)).toEqual(['no', 'yes']);
});

it('writes paths into the run that find the data again, and leaves stdin alone', async () => {
  const { cwd } = await train({ 'data.csv': SMALL_CSV, 'held.csv': SMALL_CSV }, { test: 'held.csv' });
  const { data } = JSON.parse(readFileSync(join(cwd, 'run/config.json'), 'utf8'));
  expect([data.train, data.test]).toEqual(['../data.csv', '../held.csv']);
});
