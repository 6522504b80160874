/**
 * Small awkward data files, a folder each in cases/: data.csv, a config.json where a key is needed, and
 * expected.json with what must be read, said or refused. Its fields:
 *
 * - about, kind: one line; the item of issue 11. file, target, args: the data file, the target, further
 *   options of inspect and init.
 * - inspect: exit, rows, task, classes, classesInOrder, columns (name, kind, missing, min, levels, …).
 * - train: exit, task, classes, classesInOrder, inputs, rows {train, validation, all}, rejected {lines},
 *   stderrMatches, outputs (units of the last layer).
 * - predict, one or a list: file, args, exit, rows, predictionsIn, blankRows, sameAs.
 * - evaluate: file, exit, rows, accuracyAtMost. init: exit, config {dotted key: value}, trains, inputs.
 * - says, saysNot in each, or at the top for any of them: regular expressions for stderr and the JSON's
 *   warnings; {match, lines}: on just that many lines of stderr.
 */
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { mlpHere, temporaryFolder } from '../support/cli.js';
import { projectPath } from '../support/fixtures.js';

// biome-ignore lint/suspicious/noExplicitAny: documents of any shape
type Json = any;

const FOLDER = projectPath('test/data/cases');
const SAID = /warn|note|text|message|said|finding|reason|hint/i;
/** Names that mean the same kind of column. */
const SAME_KIND = [
  ['numeric', 'number', 'integer', 'float', 'decimal', 'count', 'quantity'],
  ['category', 'categorical', 'text', 'class', 'level', 'levels'],
  ['boolean', 'bool', 'yes/no', 'flag'],
  ['date', 'datetime', 'date-time', 'date and time', 'time', 'timestamp', 'dates'],
  ['identifier', 'id', 'index', 'key', 'row number', 'row names', 'counter'],
  ['constant', 'single value'],
];

const asList = (value: Json): Json[] => (Array.isArray(value) ? value : value === undefined ? [] : [value]);
const dotted = (document: Json, key: string): Json =>
  key.split('.').reduce((value, part) => value?.[part], document);
const namesOf = (levels: Json[] = []) => levels.map((level) => String(level?.name ?? level));
const sorted = (values: Json[]) => values.map(String).toSorted();

/** All strings of a JSON document that lie under a key such as warnings or text. */
function strings(document: Json, inside = false): string[] {
  if (Array.isArray(document)) return document.flatMap((value) => strings(value, inside));
  if (document !== null && typeof document === 'object') {
    return Object.entries(document).flatMap(([key, value]) => strings(value, inside || SAID.test(key)));
  }
  return inside && typeof document === 'string' ? [document] : [];
}

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly documents: Json[];
  /** Stderr, and what the JSON documents say. */
  readonly text: string;
}

async function run(cwd: string, ...args: unknown[]): Promise<Ran> {
  const { code, stdout, stderr } = await mlpHere(args.map(String), { cwd });
  expect(stderr).not.toMatch(/^\s+at .+:\d+:\d+\)?$/m);
  return { code, stdout, stderr, ...documentsOf(stdout, stderr) };
}

function documentsOf(stdout: string, stderr: string) {
  const parsed = (text: string): Json[] => {
    try {
      return [JSON.parse(text)];
    } catch {
      return [];
    }
  };
  const whole = parsed(stdout);
  const documents = whole.length > 0 ? whole : stdout.split('\n').flatMap(parsed);
  return { documents, text: [stderr, ...documents.flatMap((document) => strings(document))].join('\n') };
}

/** Case counts only in a pattern with `(?-i:…)`, which Node 20 cannot compile. */
function patternOf(text: string): RegExp {
  const isExact = text.includes('(?-i:');
  return new RegExp(text.replaceAll('(?-i:', '(?:'), isExact ? '' : 'i');
}

function expectSaid(wanted: Json, { text, stderr }: Pick<Ran, 'text' | 'stderr'>): void {
  for (const rule of asList(wanted.says)) {
    const pattern = patternOf(typeof rule === 'string' ? rule : rule.match);
    expect(text).toMatch(pattern);
    if (rule.lines !== undefined)
      expect(stderr.split('\n').filter((line) => pattern.test(line))).toHaveLength(rule.lines);
  }
  for (const rule of asList(wanted.saysNot)) expect(text).not.toMatch(patternOf(rule));
}

/** Whether the command was to succeed, after checks of its exit code and of what it said. */
function finished(wanted: Json, ran: Ran): boolean {
  const exit = wanted.exit ?? 0;
  if (exit === 'nonzero') expect(ran.code).not.toBe(0);
  else if (exit !== 'any') expect(asList(exit), ran.stderr).toContain(ran.code);
  for (const pattern of asList(wanted.stderrMatches)) expect(ran.stderr).toMatch(patternOf(pattern));
  expectSaid(wanted, ran);
  return ran.code === 0;
}

function expectClasses(wanted: Json, found: Json): void {
  if (wanted.classes) expect(sorted(namesOf(found))).toEqual(sorted(wanted.classes));
  if (wanted.classesInOrder) expect(namesOf(found)).toEqual(wanted.classesInOrder.map(String));
}

function expectColumn({ name, kind, levels, ...figures }: Json, columns: Json[]): void {
  const column = columns.find((other) => other.name === name);
  expect(column, `column ${name}`).toBeDefined();
  if (kind) {
    const kinds = asList(kind).flatMap((word) => SAME_KIND.find((words) => words.includes(word)) ?? [word]);
    expect(kinds).toContain(String(column.kind).toLowerCase());
  }
  if (levels) expect(sorted(namesOf(column.levels ?? column.frequent))).toEqual(sorted(levels));
  for (const [key, value] of Object.entries(figures)) {
    const found = column[key] ?? column.range?.[key];
    if (typeof value === 'number')
      expect(Math.abs(found - value)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(value)));
    else expect(found).toEqual(value);
  }
}

class Case {
  readonly #folder: string;
  readonly #wanted: Json;
  readonly #file: string;
  readonly #texts: string[] = [];

  constructor(folder: string, wanted: Json) {
    this.#folder = folder;
    this.#wanted = wanted;
    this.#file = wanted.file ?? 'data.csv';
  }

  async check(): Promise<void> {
    const { inspect, init, train, predict, evaluate } = this.#wanted;
    if (inspect) await this.#inspect(inspect);
    if (init) await this.#init(init);
    if (train) {
      this.#writeConfig(train);
      const hasModel = await this.#train(train, 'config.json', 'run');
      if (predict ?? evaluate) expect(hasModel).toBe(true);
      for (const wanted of asList(predict)) await this.#predict(wanted);
      for (const wanted of asList(evaluate)) await this.#evaluate(wanted);
    }
    const text = this.#texts.join('\n');
    expectSaid(this.#wanted, { text, stderr: text });
  }

  async #run(...args: unknown[]): Promise<Ran> {
    const ran = await run(this.#folder, ...args);
    this.#texts.push(ran.text);
    return ran;
  }

  get #target(): unknown[] {
    const { target } = this.#wanted;
    return target === undefined ? [] : ['--target', target];
  }

  async #inspect(wanted: Json): Promise<void> {
    const ran = await this.#run(
      'inspect',
      this.#file,
      ...(this.#wanted.args ?? []),
      ...this.#target,
      '--json',
    );
    if (!finished(wanted, ran)) return;
    const [found] = ran.documents;
    if ('rows' in wanted) expect(found.rows).toBe(wanted.rows);
    if ('task' in wanted) expect(found.target.task).toBe(wanted.task);
    expectClasses(wanted, found.target?.classes);
    for (const column of asList(wanted.columns)) expectColumn(column, found.columns);
  }

  #writeConfig(wanted: Json): void {
    const path = join(this.#folder, 'config.json');
    if (existsSync(path)) return;
    const { target } = this.#wanted;
    const outputs = wanted.outputs ?? (wanted.classes ?? wanted.classesInOrder ?? []).length;
    const config = {
      network: { layers: [8, 'relu', outputs > 2 || 'outputs' in wanted ? outputs : 1] },
      data: {
        train: this.#file,
        target,
        validation: 0.25,
        ...(typeof target === 'number' && { header: false }),
      },
      training: { epochs: 2 },
      seed: 1,
    };
    writeFileSync(path, JSON.stringify(config));
  }

  /** Returns whether there is a model. */
  async #train(wanted: Json, config: string, directory: string): Promise<boolean> {
    const ran = await this.#run('train', config, '--run', directory, '--threads', 1, '--json');
    if (!finished(wanted, ran)) return false;
    const start = ran.documents.find(({ event }) => event === 'start');
    if ('task' in wanted) expect(start.task.replaceAll('-', '')).toBe(wanted.task.replaceAll('-', ''));
    expectClasses(wanted, start.classes);
    if ('inputs' in wanted) {
      const [least, most = least] = asList(wanted.inputs);
      expect(start.inputs).toBeGreaterThanOrEqual(least);
      expect(start.inputs).toBeLessThanOrEqual(most);
    }
    for (const [split, count] of Object.entries(wanted.rows ?? {})) {
      const rows = Object.values<number>(start.rows);
      expect(split === 'all' ? rows.reduce((sum, n) => sum + n, 0) : start.rows[split]).toBe(count);
    }
    if (wanted.rejected) {
      const text = readFileSync(join(this.#folder, directory, 'rejected.csv'), 'utf8');
      for (const line of wanted.rejected.lines)
        expect(text).toMatch(new RegExp(`(?<![\\w.])${line}(?![\\w.])`));
    }
    return true;
  }

  async #predict(wanted: Json): Promise<void> {
    const args = wanted.args ?? [];
    const ran = await this.#run('predict', 'run', wanted.file ?? this.#file, ...args);
    finished(wanted, ran);
    // A prediction may report bad rows and write all others.
    const keys = ['rows', 'predictionsIn', 'blankRows', 'sameAs'];
    if (!keys.some((key) => key in wanted)) return;
    const found = predictionsOf(ran.stdout);
    if ('rows' in wanted) expect(found).toHaveLength(wanted.rows);
    const blank = found.flatMap((prediction, row) => (prediction === '' ? [row] : []));
    if (wanted.blankRows) expect(blank).toEqual(wanted.blankRows);
    const predicted = found.filter((prediction) => prediction !== '' || !wanted.blankRows);
    if (wanted.predictionsIn)
      expect(wanted.predictionsIn.map(String)).toEqual(expect.arrayContaining(predicted));
    if (wanted.sameAs) {
      const other = await this.#run('predict', 'run', wanted.sameAs, ...args);
      expect(ran.stdout).toBe(other.stdout);
    }
  }

  async #evaluate(wanted: Json): Promise<void> {
    const ran = await this.#run('evaluate', 'run', wanted.file ?? this.#file, '--json');
    if (!finished(wanted, ran)) return;
    const [found] = ran.documents;
    if ('rows' in wanted) expect(found.rows).toBe(wanted.rows);
    if ('accuracyAtMost' in wanted) {
      expect(found.metrics?.accuracy ?? found.accuracy).toBeLessThanOrEqual(wanted.accuracyAtMost + 1e-9);
    }
  }

  async #init(wanted: Json): Promise<void> {
    const output = ['-o', 'init.json', '--json'];
    const ran = await this.#run('init', this.#file, ...(this.#wanted.args ?? []), ...output, ...this.#target);
    if (!finished(wanted, ran)) return;
    const path = join(this.#folder, 'init.json');
    const config = JSON.parse(readFileSync(path, 'utf8'));
    for (const [key, value] of Object.entries(wanted.config ?? {})) {
      const found = dotted(config, key);
      expect(found, key).toBeDefined();
      if (value !== null) expect(found).toEqual(value);
    }
    if (!wanted.trains) return;
    const { steps, ...training } = config.training ?? {};
    // One network learns whether the data can be trained on as well as an ensemble does.
    const network = { ...config.network, members: 1 };
    writeFileSync(path, JSON.stringify({ ...config, network, training: { ...training, epochs: 1 } }));
    await this.#train('inputs' in wanted ? { inputs: wanted.inputs } : {}, 'init.json', 'run-init');
  }
}

/** The predictions of CSV or JSON lines. */
function predictionsOf(output: string): string[] {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  expect(lines, 'lines of predictions').not.toHaveLength(0);
  if (lines[0].startsWith('{')) return lines.map((line) => String(JSON.parse(line).prediction ?? ''));
  const count = (mark: string) => lines[0].split(mark).length;
  const delimiter = [',', ';', '\t', '|'].reduce((best, mark) => (count(mark) > count(best) ? mark : best));
  const [header, ...rows]: string[][] = parse(output, { delimiter, relax_column_count: true });
  const at = Math.max(
    0,
    header.findIndex((name) => name.startsWith('prediction')),
  );
  return rows.map((row) => row[at] ?? '');
}

describe('an awkward file', () => {
  const names = readdirSync(FOLDER).filter((name) => existsSync(join(FOLDER, name, 'expected.json')));
  const wantedOf = (name: string) => JSON.parse(readFileSync(join(FOLDER, name, 'expected.json'), 'utf8'));

  async function check(name: string, wanted: Json): Promise<void> {
    const folder = temporaryFolder();
    cpSync(join(FOLDER, name), folder, { recursive: true });
    await new Case(folder, wanted).check();
  }

  it.each(names)('%s', async (name) => {
    await check(name, wantedOf(name));
  });

  const isError = ({ exit }: Json = {}) => exit !== undefined && exit !== 0;
  const untried = names.filter((name) => {
    const { target, inspect, train, init } = wantedOf(name);
    const isSingle = target !== undefined && !Array.isArray(target);
    return isSingle && !isError(inspect) && !isError(train) && !init?.trains;
  });

  it.each(untried)('gets a config from init that trains without an edit: %s', async (name) => {
    const { file, target, args } = wantedOf(name);
    await check(name, { file, target, args, init: { trains: true } });
  });
});
