/** Never silently wrong: what is refused, with its place, and what is accepted although it looks odd. */
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { loadDataset } from '../../../src/data/dataset/loadDataset.js';
import { ExitCode } from '../../../src/errors.js';
import type { DataConfig } from '../../../src/spec/dataConfig.js';
import { allOf } from '../../support/datasets.js';
import { configOf, Folder, inConfig, rejection } from '../files.js';

const folder = new Folder();
const { config, data, noInput, noPermission } = ExitCode;

type Options = Partial<DataConfig> & { dtype?: 'float32' | 'float64' };

function load(content: string | Uint8Array, { dtype = 'float64', ...options }: Options = {}) {
  folder.write('t.csv', content);
  return loadDataset(
    { ...configOf({ train: 't.csv', target: 'y', ...options }), dtype },
    folder.path,
    inConfig,
  );
}

async function failure(content: string | Uint8Array, options: Options = {}) {
  const { exitCode, message, hint } = await rejection(load(content, options));
  return { exitCode, message: message.replaceAll(join(folder.path, '/'), ''), hint: hint ?? '' };
}

/** A table of two features and two classes whose third line has `cell` in column b. */
const withCell = (cell: string, separator = ',') =>
  ['a,b,y', '1,2,no', `3,${cell},yes`, '5,6,no', '7,8,yes']
    .map((line) => line.replaceAll(',', separator))
    .join('\n');

interface Refused {
  what: string;
  content: string | Uint8Array;
  options?: Options;
  code?: number;
  message: string | RegExp;
  hint?: string | RegExp;
}

const REFUSED: Refused[] = [
  { what: 'a short row', content: 'a,b,y\n1,2,no\n3,yes\n', message: 't.csv:3: found 2 fields, expected 3' },
  {
    what: 'a long row',
    content: 'a,b,y\n1,2,no\n3,4,yes,5\n',
    message: 't.csv:3: found 4 fields, expected 3',
  },
  {
    what: 'a quote that is never closed, by its opening line',
    content: 'a,b,y\n1,2,no\n3,"4,yes\n5,6,no\n7,8,yes\n',
    message: 't.csv:3: column "b": found a quote that is never closed',
  },
  {
    what: 'text after a closing quote',
    content: 'a,b,y\n1,2,no\n3,"4"5,yes\n',
    message: /^t\.csv:3: column "b": found text after the closing quote/,
  },
  { what: 'an empty file', content: '', message: /^t\.csv: found an empty file/ },
  { what: 'a header only', content: 'a,b,y\n', message: /^t\.csv: found a header and nothing after it/ },
  {
    what: 'a target that is not there',
    content: 'a,b,label\n1,2,no\n3,4,yes\n',
    options: { target: 'lable' },
    code: config,
    message: 'c.json: data.target: found no column "lable" in t.csv, expected one of a, b, label',
    hint: 'did you mean "label"?',
  },
  ...['', 'NA', 'NaN', 'null', '?', '  '].map((cell) => ({
    what: `a missing cell written ${JSON.stringify(cell)}`,
    content: withCell(cell),
    message: 't.csv:3: column "b": found a missing value, expected a number',
    hint: /data\.missing/,
  })),
  ...['Infinity', '-inf', '1e400', '0x10', '1_000', '1 000', '1.2.3', '--1', '1e', '٣'].map((cell) => ({
    what: `the cell ${JSON.stringify(cell)}`,
    content: withCell(cell),
    message: new RegExp(`^t\\.csv:3: column "b": found "${cell.replaceAll('.', '\\.')}", expected a number`),
  })),
  {
    what: 'a NUL byte',
    content: withCell('4\u0000'),
    message: /^t\.csv:3:\d+: found a NUL byte at offset 16/,
  },
  {
    what: 'invalid UTF-8 after UTF-8',
    content: Buffer.concat([Buffer.from(withCell('ä')), Buffer.of(0xe9)]),
    message: /^t\.csv:\d+:\d+: found the byte 0xe9 at offset \d+, which is not valid UTF-8/,
  },
  {
    what: 'a gzip that is cut short',
    content: gzipSync(withCell('4').repeat(50)).subarray(0, 40),
    message: /^t\.csv: .*gzip.*/,
  },
  {
    what: 'a field of more than 1 MiB',
    content: withCell(`"${'x'.repeat(2 ** 20 + 1)}"`),
    message: /^t\.csv:3: column "b": found .*1 MiB/,
  },
  {
    what: 'a preamble',
    content: 'exported 2026-01-01\na,b,y\n1,2,no\n3,4,yes\n',
    options: { target: 'y' },
    message: /^t\.csv:1: /,
  },
  {
    what: 'a second header row',
    content: 'a,b,y\ncm,kg,-\n1,2,no\n3,4,yes\n5,6,no\n',
    message: 't.csv:2: column "a": found "cm", expected a number',
    hint: /second header/,
  },
  {
    what: 'one class only',
    content: 'a,y\n1,no\n2,no\n',
    message: /found "no" in all 2 rows, expected at least two classes/,
  },
  {
    what: 'a class with a single row under a stratified split',
    content: 'a,y\n1,no\n2,no\n3,no\n4,no\n5,yes\n',
    options: { validation: 0.2 },
    message: /split: class "yes": found 1 row/,
  },
  {
    what: 'text in the target of a regression',
    content: 'a,y\n1,0.5\n2,1.5\n3,high\n4,2.5\n',
    options: { task: 'regression' },
    message: 't.csv:4: column "y": found "high", expected a number',
  },
  {
    what: 'a validation share that leaves no row',
    content: 'a,y\n1,0.5\n2,1.5\n',
    options: { validation: 0.9 },
    message: /t\.csv: split: found 2 rows, all held out by a share of 0\.9/,
  },
  {
    what: 'a value that overflows float32',
    content: withCell('1e39'),
    options: { dtype: 'float32', standardize: false },
    message: /^t\.csv:3: column "b": found 1e\+?39, expected a number that fits a float32/,
    hint: /"float64"/,
  },
  {
    what: 'a target that overflows float32',
    content: 'a,y\n1,0.5\n2,1e39\n3,2.5\n',
    options: { dtype: 'float32' },
    message: /^t\.csv:3: column "y": found 1e\+?39, expected a number that fits a float32/,
  },
];

describe('refused', () => {
  it.each(REFUSED)('$what', async ({ content, options, code = data, message, hint }) => {
    const found = await failure(content, options);
    expect(found.exitCode).toBe(code);
    expect(found.message).toMatch(message);
    if (hint !== undefined) expect(found.hint).toMatch(hint);
  });

  it('a directory', async () => {
    mkdirSync(join(folder.path, 'd.csv'), { recursive: true });
    const failed = rejection(loadDataset(configOf({ train: 'd.csv', target: 'y' }), folder.path));
    expect(await failed).toMatchObject({ exitCode: noInput, message: expect.stringContaining('directory') });
  });

  it.skipIf(process.getuid?.() === 0)('an unreadable file', async () => {
    chmodSync(folder.write('secret.csv', withCell('4')), 0);
    const failed = rejection(loadDataset(configOf({ train: 'secret.csv', target: 'y' }), folder.path));
    expect(await failed).toMatchObject({ exitCode: noPermission });
  });

  it('control characters in names and cells never reach a message raw', async () => {
    const { message } = await failure('a\u001b[2J,b,y\n1,2,no\n\u001b]0;x\u0007,4,yes\n5,6,no\n7,8,no\n');
    expect(message).toContain('\\u001b');
    expect(message).not.toMatch(/[\u0000-\u001f]/);
  });
});

describe('accepted', () => {
  const plain = 'a,b,y\n1,2,no\n3,4,yes\n';
  const features = Float64Array.of(1, 2, 3, 4);

  it.each<[string, string | Uint8Array]>([
    ['as it is', plain],
    ['without a line break at the end', plain.trimEnd()],
    ['CRLF', plain.replaceAll('\n', '\r\n')],
    ['CR alone', plain.replaceAll('\n', '\r')],
    ['mixed line ends, with no \\r in a class', 'a,b,y\r\n1,2,no\n3,4,yes\r\n'],
    ['a byte order mark', `\ufeff${plain}`],
    ['semicolons', plain.replaceAll(',', ';')],
    ['tabs', plain.replaceAll(',', '\t')],
    ['bars', plain.replaceAll(',', '|')],
    ['quotes', '"a","b","y"\n"1","2","no"\n"3","4","yes"\n'],
    ['gzip, whatever its name', gzipSync(plain)],
  ])('%s', async (_, content) => {
    const dataset = await load(content);
    expect(dataset.featureNames).toEqual(['a', 'b']);
    expect(dataset.classes).toEqual(['no', 'yes']);
    expect(allOf(dataset.train.features)).toEqual(features);
    expect(dataset.warnings).toEqual([]);
  });

  it('headers that look like numbers, in their order', async () => {
    const { featureNames, train } = await load('2,1,y\n1,2,no\n3,4,yes\n');
    expect(featureNames).toEqual(['2', '1']);
    expect(allOf(train.features)).toEqual(features);
  });

  it('__proto__ and constructor as columns, levels and classes', async () => {
    const rows = [
      '__proto__,constructor',
      'constructor,toString',
      '__proto__,toString',
      'constructor,constructor',
    ];
    const { featureNames, classes } = await load(`__proto__,constructor\n${rows.join('\n')}\n`, {
      target: 'constructor',
    });
    expect(featureNames).toEqual(['__proto__=__proto__', '__proto__=constructor']);
    expect(classes).toEqual(['constructor', 'toString']);
  });

  it('a constant column, with a warning and without a NaN', async () => {
    const { train, warnings } = await load('a,b,y\n1,7,no\n3,7,yes\n', { standardize: true });
    expect(allOf(train.features).every(Number.isFinite)).toBe(true);
    expect(warnings.join()).toContain('column "b" holds a single value');
  });

  it('a decimal point in a semicolon file, a comma within quotes', async () => {
    expect(allOf((await load('a;b;y\n1.5;2;no\n3;4;yes\n')).train.features)[0]).toBe(1.5);
    const { featureNames } = await load('a,b,y\n"x, y",2,no\nz,4,yes\n"x, y",1,no\n');
    expect(featureNames).toEqual(['a=x, y', 'a=z', 'b']);
  });
});
