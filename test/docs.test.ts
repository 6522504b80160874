import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mlpHere, temporaryFolder } from './support/cli.js';
import { projectPath } from './support/fixtures.js';

const README = 'README.md';
const DOCS = readdirSync(projectPath('docs'))
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`);
const MANUAL = [README, ...DOCS];
const PAGES = [
  ...MANUAL,
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'SECURITY.md',
  'bench/README.md',
  'data/README.md',
  'test/fixtures/README.md',
];

/** Pages of the npm package may link to these files too, which are in the repository alone. */
const REPOSITORY_ONLY = ['CONTRIBUTING.md'];

const read = (path: string) => readFileSync(projectPath(path), 'utf8');

interface Block {
  readonly language: string;
  /** What stands behind the language, as in ```json title=homework.json */
  readonly title: string | undefined;
  readonly text: string;
}

/** The fenced blocks of a page, and the page without them. */
function parsePage(path: string): { blocks: Block[]; prose: string } {
  const blocks: Block[] = [];
  const prose = read(path).replace(
    /^```(\w*)(?: title=(\S+))?\n(.*?)^```$/gms,
    (_, language, title, text) => {
      blocks.push({ language, title, text });
      return '';
    },
  );
  return { blocks, prose };
}

const codeOf = (prose: string) => [...prose.matchAll(/`([^`\n]+)`/g)].map(([, code]) => code);

describe('links', () => {
  it.each(PAGES)('%s: lead to files and anchors that exist', (page) => {
    for (const { target, anchor } of linksOf(page)) {
      expect(existsSync(projectPath(target)), `${page} links to ${target}`).toBe(true);
      if (anchor) expect(anchorsOf(target), `${page} links to ${target}#${anchor}`).toContain(anchor);
    }
  });

  it.each([...MANUAL, 'data/README.md'])('%s: lead to files of the npm package', (page) => {
    for (const { target } of linksOf(page)) {
      expect(isPacked(target) || REPOSITORY_ONLY.includes(target), `${page} links to ${target}`).toBe(true);
    }
  });

  it.each(PAGES.filter((page) => page !== 'CHANGELOG.md'))(
    '%s: names files and scripts that exist',
    (page) => {
      const { scripts } = JSON.parse(read('package.json'));
      for (const code of codeOf(parsePage(page).prose)) {
        if (/^(src|test|bench|docs|configs|data|schema|bin)\/[\w./-]+$/.test(code)) {
          expect(existsSync(projectPath(code)), `${page} names ${code}`).toBe(true);
        }
        const script = /^npm run ([\w:]+)/.exec(code)?.[1];
        if (script) expect(scripts, `${page} names ${code}`).toHaveProperty(script);
      }
    },
  );
});

/** Whether the npm package holds a file, or files of a folder, by package.json's `files`. */
function isPacked(target: string): boolean {
  const { files } = JSON.parse(read('package.json')) as { files: string[] };
  return [...files, README, 'LICENSE', 'package.json'].some((pattern) => {
    const expression = pattern.replaceAll('.', '\\.').replaceAll('*', '[^/]*');
    return new RegExp(`^${expression}(/.*)?$`).test(target) || pattern.startsWith(`${target}/`);
  });
}

/** The links of a page to files of the repository. */
function linksOf(page: string): { target: string; anchor: string | undefined }[] {
  const links = [...parsePage(page).prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link);
  return links
    .filter((link) => !/^https?:/.test(link))
    .map((link) => {
      const [file, anchor] = link.split('#');
      return { target: file === '' ? page : normalize(join(dirname(page), file)), anchor };
    });
}

/** The anchors of a page: its headings as GitHub writes them, and the ids in it. */
function anchorsOf(page: string): string[] {
  const { prose } = parsePage(page);
  const headings = [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
  return [...headings, ...[...prose.matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id)];
}

describe('README.md', () => {
  it('is short', () => {
    const text = read(README);
    expect(text.split('\n').length).toBeLessThanOrEqual(160);
    expect(text.split(/\s+/).length).toBeLessThanOrEqual(1100);
  });
});

describe('docs/architecture.md', () => {
  it('has a row for each folder of src', () => {
    const page = read('docs/architecture.md');
    const rows = [...page.matchAll(/^\| `src\/(\w+)` /gm)].map(([, folder]) => folder);
    const folders = readdirSync(projectPath('src'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    expect(rows.sort()).toEqual(folders.sort());
  });
});

describe('docs/config.md', () => {
  it('is what docs/config.mjs writes', () => {
    const page = execFileSync(process.execPath, [projectPath('docs/config.mjs'), '-'], { encoding: 'utf8' });
    expect(page, 'npm run docs').toBe(read('docs/config.md'));
  });
});

describe('commands in the docs', () => {
  it.each([...MANUAL, 'CONTRIBUTING.md', 'bench/README.md'])(
    '%s: exist, with their options',
    async (page) => {
      const { blocks, prose } = parsePage(page);
      const shown = blocks
        .filter(({ language }) => language === 'sh' || language === 'console')
        .flatMap(({ text }) => text.split('\n'));
      // A sentence may name a command, and leave out its arguments.
      const named = codeOf(prose);
      for (const line of [...shown, ...named]) {
        const words = /^(?:\$ )?(?:npx )?mlp (.+)$/.exec(line)?.[1].split(' ');
        if (words && !line.includes('<'))
          await requireCommand(words, `${page}: ${line}`, shown.includes(line));
      }
    },
  );
});

/** Fails where a command line names a command or an option that there is none of, or has too many or few arguments. */
async function requireCommand(
  [command, ...words]: string[],
  place: string,
  complete: boolean,
): Promise<void> {
  const help = await mlpHere([command, '--help']);
  expect(help.code, place).toBe(0);
  let positional = 0;
  for (let i = 0; i < words.length; i++) {
    if (words[i] === '…' || words[i] === '|') return;
    if (!words[i].startsWith('-') || words[i] === '-') {
      positional++;
      continue;
    }
    const option = new RegExp(`^ +(?:-\\w, )?${words[i]}\\b(?:, --[\\w-]+)?( <)?`, 'm').exec(help.stdout);
    expect(option, `${place}: ${words[i]}`).not.toBeNull();
    if (option?.[1]) i++;
  }
  const usage = /^Usage: (.+)$/m.exec(help.stdout)?.[1] ?? '';
  const declared = usage.match(/<[^>]+>|\[(?!options)[^\]]+\]/g) ?? [];
  const most = declared.some((name) => name.includes('...')) ? Number.POSITIVE_INFINITY : declared.length;
  expect(positional, place).toBeLessThanOrEqual(most);
  if (complete) expect(positional, place).toBeGreaterThanOrEqual(usage.match(/</g)?.length ?? 0);
}

describe('output in the docs', () => {
  it.each(MANUAL.filter((page) => read(page).includes('```console')))(
    '%s: is what the commands print',
    async (page) => {
      const folder = exampleFolder();
      for (const { language, title, text } of parsePage(page).blocks) {
        if (title) writeFileSync(join(folder, title), text);
        if (language !== 'console') continue;
        for (const [, command, expected] of text.matchAll(/^\$ (?:npx )?mlp (.+)\n((?:(?!\$ ).*\n)*)/gm)) {
          const { stdout, stderr } = await mlpHere(command.split(' '), { cwd: folder });
          expectOutput(stderr + stdout, expected, `${page}: mlp ${command}`);
        }
      }
    },
  );

  it('README.md: comes from commands that succeed', async () => {
    const folder = exampleFolder();
    const commands = parsePage(README)
      .blocks.filter(({ language }) => language === 'sh')
      .flatMap(({ text }) => [...text.matchAll(/^mlp (.+)$/gm)].map(([, command]) => command))
      // It measures the machine, for seconds.
      .filter((command) => !command.startsWith('doctor'));
    for (const command of commands) {
      const { code, stderr } = await mlpHere(command.split(' '), { cwd: folder });
      expect(code, `mlp ${command}\n${stderr}`).toBe(0);
    }
  });

  it('README.md: has a program that runs', () => {
    const folder = exampleFolder();
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(projectPath('.'), join(folder, 'node_modules/mlp-train'));
    const program = parsePage(README).blocks.find(({ language }) => language === 'js')?.text ?? '';
    writeFileSync(join(folder, 'program.mjs'), program);
    const output = execFileSync(process.execPath, ['program.mjs'], { cwd: folder, encoding: 'utf8' });
    const [accuracy, prediction] = output.split('\n');
    expect(Number(accuracy)).toBeGreaterThan(0.9);
    expect(prediction).toMatch(/^setosa \{$/);
  });

  it('in the picture is what the command prints', async () => {
    const description = /<desc>\$ npx mlp (.+?)\n(.*)<\/desc>/s.exec(read('docs/terminal.svg'));
    const [, command = '', expected = ''] = description ?? [];
    const { stdout, stderr } = await mlpHere(command.split(' '), { cwd: exampleFolder() });
    expectOutput(stderr + stdout, expected, 'docs/terminal.svg');
  });

  it.each(MANUAL)('%s: has JSON that parses', (page) => {
    for (const { language, text } of parsePage(page).blocks) {
      if (language === 'json') expect(() => JSON.parse(text), `${page}: ${text}`).not.toThrow();
    }
  });
});

/** A folder with the configs and the data that the examples use. */
function exampleFolder(): string {
  const folder = temporaryFolder();
  for (const name of ['configs', 'data', 'schema']) {
    cpSync(projectPath(name), join(folder, name), { recursive: true });
  }
  return folder;
}

/** Compares line by line. A line … stands for any lines, and times and kernels are the machine's own. */
function expectOutput(output: string, expected: string, place: string): void {
  const linesOf = (text: string) => text.split('\n').filter((line) => line.trim() !== '');
  // Says that a machine has no BLAS, in one sentence.
  const actual = linesOf(output).filter((line) => !line.startsWith('no BLAS'));
  let next = 0;
  let elided = false;
  for (const line of linesOf(expected)) {
    if (line === '…') {
      elided = true;
      continue;
    }
    const found = actual.findIndex((other, i) => i >= next && sameLine(line, other));
    expect(found >= 0 && (elided || found === next), `${place}: found no line\n${line}\nin\n${output}`).toBe(
      true,
    );
    next = found + 1;
    elided = false;
  }
  if (!elided) expect(actual.slice(next), place).toEqual([]);
}

function sameLine(a: string, b: string): boolean {
  const [first, second] = [wordsOf(a), wordsOf(b)];
  return (
    first.length === second.length &&
    first.every((word, i) => word === second[i] || areClose(word, second[i]))
  );
}

function wordsOf(line: string): string[] {
  return line
    .replace(/[\d.]+ (?:ms|s|min)\b/g, 'TIME')
    .replace(/[\d.]+[kM]? samples\/s/, 'RATE')
    .replace(/\w+ kernels, \d+ threads?/, 'KERNELS')
    .split(/[\s,]+/);
}

/** Another BLAS changes the last digits of float32. Very small numbers are rounding alone. */
function areClose(a: string, b: string): boolean {
  const [first, second] = [Number(a), Number(b)];
  return (
    Math.abs(first - second) <= 0.02 * Math.abs(first) || (Math.abs(first) < 1e-4 && Math.abs(second) < 1e-4)
  );
}
