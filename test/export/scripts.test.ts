/** The Python scripts and C files: what other tools made of them is in a fixture. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { text as textOfC } from '../../src/export/c/literals.js';
import { differences } from '../../src/export/check.js';
import { python } from '../../src/export/python/literals.js';
import { npz } from '../../src/export/python/npz.js';
import { numpy } from '../../src/export/python/numpy.js';
import { pytorch } from '../../src/export/python/pytorch.js';
import { madeUpRows } from '../../src/export/rows.js';
import { temporaryFolder } from '../support/cli.js';
import { fixture } from '../support/fixtures.js';
import { dump, textOf } from './dump.js';
import { CONTENTS, ensembleFor, modelOf, requestOf } from './models.js';

interface Result {
  readonly name: string;
  readonly dtype: string;
  readonly onnxruntime: { readonly difference: number };
  readonly numpy: { readonly sha256: string; readonly difference: number };
  readonly pytorch: { readonly sha256: string; readonly difference: number };
  readonly gcc: { readonly difference: number };
}

const TARGETS = ['classes', 'labels', 'numbers', 'quantiles'] as const;
const { MLP_EXPORTS } = process.env;
const { models: results } = fixture<{ models: readonly Result[] }>('export/results.json');

describe('exported scripts', () => {
  describe.each(['float32', 'float64'] as const)('of a %s model', (dtype) => {
    const models = [
      ...CONTENTS.map(([name, content]) => [name, () => modelOf(content, dtype)] as const),
      ...TARGETS.map((target) => [`ensemble of ${target}`, () => ensembleFor(dtype, target)] as const),
    ];

    it.each(models)('are those that Python has run, with the predictions of mlp, %s', async (name, make) => {
      const model = make();
      if (MLP_EXPORTS) {
        await dump(join(MLP_EXPORTS, `${dtype} ${name.replaceAll(/\W+/g, '-')}`), name, dtype, model);
        return;
      }
      const known = results.find((result) => result.name === name && result.dtype === dtype);
      const sha256Of = (text: string) => createHash('sha256').update(text).digest('hex');
      expect(sha256Of(textOf(numpy.write(requestOf(model, '.py'))))).toBe(known?.numpy.sha256);
      expect(sha256Of(textOf(pytorch.write(requestOf(model, '.py'))))).toBe(known?.pytorch.sha256);
      const most = dtype === 'float32' ? 1e-6 : 1e-12;
      expect(known?.numpy.difference).toBeLessThan(most);
      expect(known?.pytorch.difference).toBeLessThan(most);
      expect(known?.gcc.difference).toBeLessThan(most);
      expect(known?.onnxruntime.difference).toBeLessThan(/gelu|ensemble of/.test(name) ? 1e-6 : most);
    });
  });
});

describe('a text in an export', () => {
  it('keeps the mark that turns a line round as an escape', () => {
    const name = 'a\u202e"b\u2066';
    expect(python([name])).toBe('["a\\u202e\\"b\\u2066"]');
    expect(textOfC(name)).toBe('"a\\342\\200\\256\\"b\\342\\201\\246"');
  });
});

describe('an npz', () => {
  it('holds the weights of the model', async () => {
    const model = modelOf(CONTENTS[0][1]);
    const request = requestOf(model, '.npz');
    const { compute, files } = npz.write(request);
    const { relative } = await differences(model, request.program, [madeUpRows(model, 20)], compute);
    expect(relative).toBeLessThan(1e-6);
    const bytes = Buffer.concat(Array.from(files[0].parts, (part) => Buffer.from(part)));
    expect(bytes.toString('latin1', 0, 4)).toBe('PK\x03\x04');
    expect(bytes.includes("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 5), }")).toBe(true);
  });
});

interface Case {
  readonly columns: readonly { readonly name: string }[];
  readonly inputs: Readonly<
    Record<string, { readonly type: string; readonly cells: readonly (string | number | null)[] }>
  >;
  readonly expected: readonly number[];
}

/** Undefined where there is no compiler. */
function compilerHere(): string | undefined {
  try {
    execFileSync('cc', ['--version'], { stdio: 'ignore' });
    return 'cc';
  } catch {
    return undefined;
  }
}

describe.skipIf(compilerHere() === undefined)('a C file, where there is a compiler', () => {
  it.each([
    'encoding: category, robust and marked',
    'encoding: date, ymd',
    'members: batch-ensemble',
    'target: quantile',
  ])('compiles without a warning, and predicts as the model does, %s', async (name) => {
    const content = CONTENTS.find(([own]) => own === name)?.[1];
    if (content === undefined) throw new Error(`no model is called ${name}`);
    const folder = temporaryFolder();
    await dump(folder, name, 'float32', modelOf(content));
    const { columns, inputs, expected } = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as Case;
    const cellOf = ({ type, cells }: Case['inputs'][string], row: number) => {
      const cell = cells[row];
      if (type === 'string') return cell === '' ? 'NULL' : JSON.stringify(cell);
      return cell === null ? 'NAN' : String(cell);
    };
    const rows = Array.from({ length: 100 }, (_, row) =>
      columns.map((column) => cellOf(inputs[column.name], row)),
    );
    const width = expected.length / 100;
    const main = `
#include <stdio.h>
int main(void) {
  const mlp_row rows[] = {${rows.map((row) => `{${row.join(', ')}}`).join(', ')}};
  for (int i = 0; i < 100; i++) {
    double p[${width}];
    if (mlp_predict(&rows[i], p)) return 1;
    for (int j = 0; j < ${width}; j++) printf("%.17g ", p[j]);
  }
  return 0;
}
`;
    writeFileSync(join(folder, 'main.c'), readFileSync(join(folder, 'c', 'model.c'), 'utf8') + main);
    const flags = ['-std=c99', '-ffp-contract=off', '-Wall', '-Wextra', '-pedantic', '-Werror'];
    execFileSync('cc', [...flags, '-o', join(folder, 'main'), join(folder, 'main.c'), '-lm']);
    const found = execFileSync(join(folder, 'main'), { encoding: 'utf8' }).trim().split(' ').map(Number);
    expect(found).toHaveLength(expected.length);
    const largest = Math.max(
      ...expected.map((value, i) => Math.abs(found[i] - value) / Math.max(1, Math.abs(value))),
    );
    expect(largest).toBeLessThan(1e-6);
  });
});
