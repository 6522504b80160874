import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectPath } from './support/fixtures.js';

const SOURCE = projectPath('src');

/** What each folder may import of the others; its own files, and the files at the bottom, it may always. */
const ALLOWED: Record<string, readonly string[]> = {
  kernels: [],
  random: [],
  spec: ['files', 'kernels/activations'],
  network: ['kernels', 'random', 'spec'],
  data: ['files', 'kernels', 'random', 'spec'],
  files: [],
  evaluation: ['network', 'kernels'],
  model: ['evaluation', 'files', 'data', 'network', 'kernels', 'random', 'spec'],
  training: ['model', 'evaluation', 'files', 'data', 'network', 'kernels', 'random', 'spec'],
  sweep: ['spec', 'random', 'training', 'files', 'kernels/activations'],
  doctor: ['training', 'data', 'network', 'kernels', 'spec'],
  gradcheck: ['network', 'kernels', 'random', 'spec'],
  export: ['model', 'data', 'network', 'kernels', 'random', 'spec', 'files'],
  logs: ['training', 'files'],
  library: ['training', 'model', 'evaluation', 'files', 'gradcheck', 'data', 'network', 'kernels', 'spec'],
  report: [],
  analysis: [
    'sweep',
    'training',
    'model',
    'evaluation',
    'files',
    'report',
    'data',
    'network',
    'kernels',
    'spec',
  ],
  cli: [
    'library',
    'logs',
    'export',
    'analysis',
    'sweep',
    'training',
    'doctor',
    'model',
    'evaluation',
    'files',
    'gradcheck',
    'report',
    'data',
    'network',
    'kernels',
    'spec',
  ],
};

/** Files in src/ itself: at the bottom, free to all; and the package's two entries, on top of all but cli. */
const BOTTOM = ['errors', 'text', 'version'];
const TOP = ['index', 'engine'];

/** Every source file, with the files it imports; paths relative to src, without an ending. */
function importGraph(): Map<string, string[]> {
  const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.d.ts') && !file.includes('assembly'),
  );
  const name = (path: string) =>
    path
      .replace(/\.(ts|js)$/, '')
      .split(sep)
      .join('/');
  return new Map(
    files.map((file) => {
      const text = readFileSync(join(SOURCE, file), 'utf8');
      const imports = [...text.matchAll(/(?:from|import\(|import)\s*'(\.[^']+)'/g)].map(([, target]) =>
        name(relative(SOURCE, join(SOURCE, dirname(file), target))),
      );
      return [name(file), imports];
    }),
  );
}

const folderOf = (file: string) => (file.includes('/') ? file.split('/')[0] : undefined);

describe('the source', () => {
  const graph = importGraph();

  it('has the folders of the architecture and no others', () => {
    const folders = new Set([...graph.keys()].map(folderOf).filter((folder) => folder !== undefined));
    expect([...folders].sort()).toEqual(Object.keys(ALLOWED).sort());
  });

  it('imports files that exist', () => {
    for (const [file, imports] of graph) {
      for (const target of imports) expect(graph.has(target), `${file} imports ${target}`).toBe(true);
    }
  });

  it('imports one way', () => {
    const wrong = [...graph].flatMap(([file, imports]) =>
      imports
        .filter((target) => {
          const [from, to] = [folderOf(file), folderOf(target)];
          if (from === undefined) return !TOP.includes(file) || to === 'cli';
          if (to === undefined) return !BOTTOM.includes(target);
          return to !== from && !ALLOWED[from].includes(to) && !ALLOWED[from].includes(target);
        })
        .map((target) => `${file} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('has no circles', () => {
    const done = new Set<string>();
    const visit = (file: string, above: readonly string[]): void => {
      expect(above.includes(file), `circle: ${[...above, file].join(' → ')}`).toBe(false);
      if (done.has(file)) return;
      for (const target of graph.get(file) ?? []) visit(target, [...above, file]);
      done.add(file);
    };
    for (const file of graph.keys()) visit(file, []);
  });

  it('keeps files, console and process out of the mathematics', () => {
    for (const file of graph.keys()) {
      if (!['network', 'random'].includes(folderOf(file) ?? '')) continue;
      const text = readFileSync(join(SOURCE, `${file}.ts`), 'utf8');
      expect(text, file).not.toMatch(/\bconsole\.|\bprocess\.|node:fs/);
    }
  });

  it('lets only the command line print and set exit codes', () => {
    for (const file of graph.keys()) {
      if (folderOf(file) === 'cli') continue;
      expect(readFileSync(join(SOURCE, `${file}.ts`), 'utf8'), file).not.toMatch(
        /\bconsole\.|process\.(stdout|stderr|exit)/,
      );
    }
  });
});
