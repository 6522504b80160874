import { chmodSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadedLibrary } from '../kernels/blas/machines.js';
import { folderOf, mlpHere, SMALL_CSV, smallConfig } from '../support/cli.js';

interface BadInput {
  what: string;
  /** Of config.json: text as it is, or what is put over a config that works. */
  config?: string | Record<string, unknown>;
  csv?: string;
  args?: string[];
  code: number;
  /** The error's line without `error: `, or a part of it. */
  error: string | RegExp;
  hint?: string;
}

const network = (...layers: unknown[]) => ({ network: { layers } });
const training = (changes: Record<string, unknown>) => ({
  training: { epochs: 1, batchSize: 8, ...changes },
});
const data = (changes: Record<string, unknown>) => ({ data: { train: 'data.csv', target: 'y', ...changes } });
const THREE_CLASSES = SMALL_CSV.replace(/yes$/, 'maybe')
  .replace('2,yes', '2,maybe')
  .replace('3,yes', '3,maybe');

const CASES: BadInput[] = [
  { what: 'malformed JSON', config: '{\n  "network": {,\n}', code: 78, error: /config\.json:2:15: / },
  {
    what: 'a key given twice',
    config: '{"seed": 1,\n "seed": 2}',
    code: 78,
    error: /config\.json:2:2: .*"seed"/,
  },
  {
    what: 'an unknown key',
    config: training({ learningrate: 1 }),
    code: 78,
    error: /config\.json:\d+:\d+: training: unknown key "learningrate"/,
  },
  {
    what: 'a key near a known one',
    config: { sed: 1 },
    code: 78,
    error: /unknown key "sed"/,
    hint: 'did you mean "seed"?',
  },
  {
    what: 'an unknown layer',
    config: network(4, 'rellu', 1),
    code: 78,
    error:
      /^config\.json:\d+:\d+: network\.layers\[1\]\.type: unknown layer "rellu"; expected one of linear, /,
    hint: 'did you mean "relu"?',
  },
  {
    what: 'an unknown value',
    config: training({ optimizer: { type: 'adm' } }),
    code: 78,
    error: /training\.optimizer\.type: .*"adm"/,
    hint: 'did you mean "adam"?',
  },
  {
    what: '__proto__ as a key',
    config: '{"__proto__": {"seed": 1}}',
    code: 78,
    error: /unknown key "__proto__"/,
  },
  {
    what: 'deep nesting',
    config: '['.repeat(100_000),
    code: 78,
    error: /^config\.json:1:65: found more than 64 levels of nesting/,
  },
  ...[0, -1, 2.5, '10'].map((units) => ({
    what: `units of ${JSON.stringify(units)}`,
    config: network({ type: 'linear', units }, 1),
    code: 78,
    error: `config.json:1:48: network.layers[0].units: found ${JSON.stringify(units)}, expected a whole number of at least 1`,
  })),
  {
    what: 'units of 1e999',
    config: '{"network": {"layers": [1e999]}, "data": {"train": "data.csv", "target": "y"}}',
    code: 78,
    error: /1e999/,
  },
  {
    what: 'a network wider than memory',
    config: network(9_007_199_254_740_991, 1),
    code: 78,
    error: /^this network and its data need \d\.\d\d EB of memory/,
  },
  {
    what: 'a data file that is not there',
    config: data({ train: 'no.csv' }),
    code: 66,
    error: 'no.csv: no such file',
  },
  { what: 'a directory as data', config: data({ train: '.' }), code: 66, error: /directory/ },
  {
    what: 'a target that is not there',
    config: data({ target: 'yy' }),
    code: 78,
    error: /"yy"/,
    hint: '"y"',
  },
  { what: 'a ragged row', csv: `${SMALL_CSV}\n1,2\n`, code: 65, error: /^data\.csv:22: .*2.*3/ },
  { what: 'an empty cell', csv: `${SMALL_CSV}\n1,,yes\n`, code: 65, error: /^data\.csv:22: column "b"/ },
  {
    what: 'a cell that is no number',
    csv: `${SMALL_CSV}\n1,x,yes\n`,
    code: 65,
    error: /^data\.csv:22: column "b": found "x"/,
  },
  { what: 'one class only', csv: 'a,b,y\n1,2,yes\n3,4,yes\n5,6,yes\n', code: 65, error: /yes/ },
  {
    what: 'an output width that does not fit two classes',
    config: network(4, 3),
    code: 78,
    error: /^config\.json:\d+:\d+: network\.layers: found an output width of 3, expected 1/,
  },
  {
    what: 'an output width that does not fit three classes',
    csv: THREE_CLASSES,
    code: 78,
    error: /^config\.json:\d+:\d+: network\.layers: found an output width of 1, expected 3/,
  },
  {
    what: 'a softmax in the middle',
    config: network(4, 'softmax', 1),
    code: 78,
    error: /network\.layers\[1\].*softmax/,
  },
  {
    what: 'a softmax with a loss it does not belong to',
    config: network(4, 1, 'softmax'),
    code: 78,
    error: /softmax/,
  },
  {
    what: 'a sigmoid at the end with a loss it does not belong to',
    config: { ...network(4, 2, 'sigmoid'), ...training({ loss: 'softmax-cross-entropy' }) },
    code: 78,
    error: /sigmoid.*softmax-cross-entropy.*binary-cross-entropy/,
  },
  {
    what: 'a loss of another task',
    config: training({ loss: 'mean-squared-error' }),
    code: 78,
    error: /training\.loss: found "mean-squared-error" for a binary task/,
  },
  {
    what: 'a loss that becomes infinite or NaN',
    config: {
      ...network(8, 'relu', 8, 'relu', 1),
      ...data({ task: 'regression', target: 'b', exclude: ['y'], standardize: false }),
      ...training({ epochs: 50, optimizer: { type: 'sgd', learningRate: 1e6 } }),
    },
    code: 78,
    error: /^training diverged: the loss became (NaN|infinite) in epoch \d+, step \d+/,
    hint: 'start a new run with a learning rate ten times smaller',
  },
  {
    what: 'a config that is not there',
    args: ['train', 'no.json'],
    code: 66,
    error: 'no.json: no such file',
  },
  { what: 'no config at all', args: ['train'], code: 64, error: /missing required argument/ },
  {
    what: 'an override without a value',
    args: ['train', 'config.json', '--set', 'seed'],
    code: 64,
    error: /seed/,
  },
  {
    what: 'an override of an unknown key',
    args: ['train', 'config.json', '--set', 'sede=1'],
    code: 78,
    error: /"sede"/,
  },
  ...['0', '10000', '-1', '1.5', 'x'].map((count) => ({
    what: `--threads ${count}`,
    args: ['train', 'config.json', `--threads=${count}`],
    code: 64,
    error: /--threads.* expected "auto" or a whole number from 1 to 256\./,
  })),
  {
    what: '--backend cuda',
    args: ['train', 'config.json', '--backend', 'cuda'],
    code: 64,
    error: /--backend.*'cuda'.* expected one of auto, reference, wasm, blas, native\./,
  },
  {
    what: '--backend cuda for a gradient check',
    args: ['gradcheck', '--backend', 'cuda'],
    code: 64,
    error: /--backend.*'cuda'.* expected one of auto, reference, wasm, blas, native\./,
  },
  ...[0, 257, 1.5, 'many'].map((threads) => ({
    what: `threads: ${JSON.stringify(threads)}`,
    config: { threads },
    code: 78,
    error: /^config\.json:\d+:\d+: threads: found .+, expected ("auto" or )?a whole number from 1 to 256$/,
  })),
  {
    what: 'backend: "cuda"',
    config: { backend: 'cuda' },
    code: 78,
    error: /^config\.json:\d+:\d+: backend: .*"cuda"; expected one of auto, reference, wasm, blas, native/,
  },
  {
    what: 'blas where the bits must be the same everywhere',
    args: ['train', 'config.json', '--backend', 'blas', '--deterministic'],
    code: 78,
    error: /^backend: found "blas" with "deterministic", expected "wasm", "native" or "auto"/,
  },
];

describe('bad input', () => {
  it.each(CASES)('$what is one message, its exit code, and no run directory', async (bad) => {
    const { config = {}, csv = SMALL_CSV, args = ['train', 'config.json'], code, error, hint } = bad;
    const content = typeof config === 'string' ? config : smallConfig(config);
    const folder = folderOf({ 'config.json': content, 'data.csv': csv });
    const result = await mlpHere(args, { cwd: folder });
    const lines = result.stderr.trimEnd().split('\n');
    const first = lines.findIndex((line) => line.startsWith('error: '));

    expect(result.stderr).toContain('error: ');
    const message = lines[first].slice('error: '.length);
    if (typeof error === 'string') expect(message).toBe(error);
    else expect(message).toMatch(error);
    if (hint) expect(lines.at(-1)).toContain(hint);
    expect(result.code).toBe(code);
    expect(result.stdout).toBe('');
    // One message: nothing after it but its hint, and no stack.
    expect(lines.slice(first + 1).every((line) => line.startsWith('hint: '))).toBe(true);
    expect(lines.length - first).toBeLessThanOrEqual(2);
    expect(existsSync(join(folder, 'runs')) ? readdirSync(join(folder, 'runs')) : []).toEqual([]);
  });

  it.skipIf(process.getuid?.() === 0 || process.platform === 'win32')(
    'a file that may not be read is 77',
    async () => {
      const folder = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
      chmodSync(join(folder, 'data.csv'), 0);
      const { code, stderr } = await mlpHere(['train', 'config.json'], { cwd: folder });
      expect(code).toBe(77);
      expect(stderr).toContain('data.csv: permission denied');
    },
  );

  describe('MLP_BLAS', () => {
    /** Large enough that auto looks for a BLAS. */
    const large = smallConfig({
      network: { layers: [600, 'relu', 600, 1] },
      training: { steps: 1, batchSize: 8 },
    });
    const files = { 'config.json': large, 'data.csv': SMALL_CSV, 'notes.txt': 'not a library\n' };
    const named: { what: string; library: string | null; reason: RegExp }[] = [
      {
        what: 'a text file',
        library: './notes.txt',
        reason: /notes\.txt: not a library \(found some other file/,
      },
      { what: 'a missing file', library: './missing.so', reason: /missing\.so: missing \(no such file\)/ },
      {
        what: loadedLibrary ? 'a library without cblas' : 'a library without cblas: none is known here',
        library: loadedLibrary,
        reason: /no cblas \(has no function cblas_sgemm\)/,
      },
    ];

    for (const { what, library, reason } of named) {
      const env = { MLP_BLAS: library ?? '' };
      it.skipIf(library === null)(`naming ${what} is 69 where blas is demanded`, async () => {
        const cwd = folderOf(files);
        for (const command of ['train', 'gradcheck']) {
          const result = await mlpHere([command, 'config.json', '--backend', 'blas'], { cwd, env });
          expect([result.code, result.stdout]).toEqual([69, '']);
          expect(result.stderr).toMatch(/^error: backend blas: MLP_BLAS: /m);
          expect(result.stderr).toMatch(reason);
          expect(result.stderr).toMatch(/^hint: .*--backend wasm\n$/m);
        }
        expect(existsSync(join(cwd, 'runs'))).toBe(false);
      });

      it.skipIf(library === null)(`naming ${what} is told once, and wasm taken, by auto`, async () => {
        const { code, stdout, stderr } = await mlpHere(['train', 'config.json', '--json', '--run', 'r'], {
          cwd: folderOf(files),
          env,
        });
        expect(code).toBe(0);
        expect(JSON.parse(stdout.split('\n')[0])).toMatchObject({ event: 'start', backend: 'wasm' });
        expect(stderr).toMatch(/^MLP_BLAS: .*: using the wasm kernels\n$/);
        expect(stderr).toMatch(reason);
      });
    }
  });

  describe('MLP_NATIVE', () => {
    const config = smallConfig({
      network: { layers: [600, 'relu', 600, 1] },
      training: { steps: 1, batchSize: 8 },
    });
    const files = { 'config.json': config, 'data.csv': SMALL_CSV };

    it('of 0, or of a mistake, is 69 where native is demanded', async () => {
      const cwd = folderOf(files);
      for (const MLP_NATIVE of ['0', 'yes']) {
        const args = ['train', 'config.json', '--backend', 'native'];
        const result = await mlpHere(args, { cwd, env: { MLP_NATIVE } });
        expect([result.code, result.stdout]).toEqual([69, '']);
        expect(result.stderr).toMatch(
          /^error: backend native: MLP_NATIVE(=0 turns it off|: found "yes", .*)$/m,
        );
        expect(result.stderr).toMatch(/^hint: use --backend wasm/m);
      }
      expect(existsSync(join(cwd, 'runs'))).toBe(false);
    });

    it('of a mistake lets auto go on without', async () => {
      const env = { MLP_NATIVE: 'yes', MLP_BLAS: '' };
      const args = ['train', 'config.json', '--json', '--run', 'r'];
      const { code, stdout } = await mlpHere(args, { cwd: folderOf(files), env });
      expect(code).toBe(0);
      expect(JSON.parse(stdout.split('\n')[0]).backend).toMatch(/^(blas|wasm)$/);
    });
  });

  it('shows the stack only with --debug', async () => {
    const folder = folderOf({});
    expect((await mlpHere(['train', 'x.json'], { cwd: folder })).stderr).not.toContain('    at ');
    expect((await mlpHere(['train', 'x.json', '--debug'], { cwd: folder })).stderr).toContain('    at ');
  });

  it('never prints escape codes of a name raw', async () => {
    const csv = 'a,\x1b[31mred,y\n1,2,yes\n1,x,no\n3,4,yes\n';
    const folder = folderOf({ 'config.json': smallConfig(), 'data.csv': csv });
    const { code, stderr } = await mlpHere(['train', 'config.json'], { cwd: folder });
    expect(code).toBe(65);
    expect(stderr).not.toContain('\x1b');
    expect(stderr).toContain('\\u001b[31mred');
  });
});
