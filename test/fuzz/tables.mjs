/** Damaged tables: CSV, JSON Lines and Parquet. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { cut, MOST_BYTES, mutateBytes, mutateJson } from './random.mjs';
import {
  CONFIGS,
  CSV,
  csvOf,
  jsonLinesOf,
  NAMES,
  projectPath,
  ROWS,
  requireDone,
  rowsOf,
  trainSample,
} from './samples.mjs';

/** What may stand in a cell, or between two. */
const CELLS = [
  ...[
    '',
    ' ',
    '""',
    '"',
    '""""',
    '"a\nb"',
    "'",
    '\\',
    ',',
    ';',
    '\t',
    '|',
    '\r',
    '\n',
    '\r\n',
    '\u0000',
    '\ufeff',
    '\u00a0',
    '\u2028',
    '\u202e',
  ],
  ...[
    '0',
    '-0',
    '1e999',
    '1e-999',
    '0x10',
    '1_000',
    '1,5',
    '1.000.000,5',
    '$3',
    '12%',
    '(5)',
    'NaN',
    'inf',
    '-Infinity',
    'NA',
    'null',
    '?',
    '-999',
  ],
  ...[
    '9007199254740993',
    '123456789012345678901234567890',
    '1.7976931348623157e308',
    '5e-324',
    `${'9'.repeat(400)}`,
    `0.${'0'.repeat(400)}1`,
  ],
  ...[
    '2024-02-30',
    '31/12/2024',
    '2024-01-01T00:00:00Z',
    '0000-00-00',
    'yes',
    'no',
    'true',
    'FALSE',
    'é',
    '\u{1f600}',
    '=1+1',
    'sep=;',
    '# x',
    '__proto__',
    'constructor',
  ],
];

const CASES = projectPath('test/data/cases');

/** The cases of the tests: the data files, each with the target of its config. */
function caseFiles(ending) {
  return readdirSync(CASES)
    .flatMap((name) => readdirSync(join(CASES, name)).map((file) => join(CASES, name, file)))
    .filter((path) => path.endsWith(ending) && statSync(path).size < 50_000)
    .map((path) => ({ bytes: readFileSync(path), target: targetOf(join(path, '../config.json')) }));
}

function targetOf(path) {
  const target = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).data?.target : undefined;
  return typeof target === 'string' ? target : 'y';
}

/** The commands that read a table: with a target, with a config, and with a model. */
function commandsFor(file, target) {
  return [
    ['inspect', file, '--json'],
    ['inspect', file, '--target', target],
    ['init', file, '--target', target, '-o', 'new.json', '--force', '--preset', 'plain'],
    ['train', 'new.json', '--run', 'r', '--set', 'training.epochs=1', '--set', 'threads=1'],
  ];
}

const MODEL_COMMANDS = [
  ['train', 'config.json', '--run', 'r', '--json'],
  ['predict', 'm.safetensors', 'FILE', '--json'],
  ['predict', 'm.safetensors', 'FILE', '--bad-rows', 'blank', '--keep', 'all', '-o', 'out.csv', '--force'],
  ['evaluate', 'm.safetensors', 'FILE', '--json'],
  ['evaluate', 'm.safetensors', 'FILE', '--bad-rows', 'skip'],
];

/**
 * @param file the name of the damaged file
 * @param samples sound files as `{ bytes, target }`; the first is one that the models know
 * @param mutate gives other bytes
 */
async function createTables({ folder, processes, file, samples, mutate, others = [] }) {
  const bytesOfOthers = [...samples.map(({ bytes }) => bytes), ...others];
  return {
    async make(random, input, isSound) {
      const isKnown = isSound || random.oneIn(2);
      const sample = isKnown ? samples[0] : random.pick(samples);
      let { bytes } = sample;
      for (let left = isSound ? 0 : random.mutations(); left > 0; left--)
        bytes = cut(mutate(random, bytes, bytesOfOthers));
      writeFileSync(join(input, file), bytes);
      const { config, model } = await trainSample(folder, processes, random.pick(Object.keys(CONFIGS)));
      const data = { ...config.data, train: file, ...(random.oneIn(3) && !isSound && { badRows: 'skip' }) };
      const training = { ...config.training, epochs: 1 };
      writeFileSync(join(input, 'config.json'), JSON.stringify({ ...config, data, training, threads: 1 }));
      writeFileSync(join(input, 'm.safetensors'), model);
      const withModel = MODEL_COMMANDS.map((args) => args.map((arg) => (arg === 'FILE' ? file : arg)));
      const without = commandsFor(file, sample.target);
      if (isSound) return { commands: [...withModel, ...without.slice(0, 3)] };
      const commands = isKnown ? [random.pick(withModel), random.pick(withModel.slice(1))] : [];
      if (!isKnown || random.oneIn(3))
        commands.push(...(random.oneIn(3) ? without.slice(2) : [random.pick(without.slice(0, 2))]));
      return { commands };
    },
    owned: ([command, ...rest]) => {
      if (command === 'train') return ['r'];
      return ['new.json', 'out.csv'].filter((path) => rest.includes(path));
    },
  };
}

export function createCsv(folder, processes) {
  const shipped = ['iris', 'wine', 'diabetes', 'breast-cancer'].map((name) => ({
    bytes: Buffer.from(
      readFileSync(projectPath(`data/${name}.csv`), 'utf8')
        .split('\n')
        .slice(0, 60)
        .join('\n'),
    ),
    target: 'target',
  }));
  const sample = { bytes: Buffer.from(CSV), target: 'kind' };
  const samples = [sample, ...caseFiles('.csv'), ...shipped];
  return createTables({ folder, processes, file: 'data.csv', samples, mutate: mutateCsv });
}

/** Text after one mutation, or text in another encoding or container. */
/** A line so often, but not much longer than what is kept of them. */
function copies(line, count) {
  return Array(Math.min(count, 1 + Math.floor(MOST_BYTES / (line.length + 1)))).fill(line);
}

function mutateCsv(random, bytes, others) {
  const text = () => bytes.toString('latin1');
  const toBytes = (changed) => Buffer.from(changed, 'latin1');
  const lines = () => text().split('\n');
  switch (random.below(15)) {
    case 0:
    case 1:
    case 2:
      return mutateBytes(random, bytes, others);
    case 3:
    case 4:
      return toBytes(replacedCell(random, text(), Buffer.from(random.pick(CELLS)).toString('latin1')));
    case 5: {
      // A line moves, doubles, or is lost.
      const all = lines();
      const [line] = all.splice(random.below(all.length), 1);
      if (!random.oneIn(3)) {
        const place = random.below(all.length + 1);
        all.splice(place, 0, ...copies(line, random.oneIn(4) ? 1 + random.small(3000) : 1));
      }
      return toBytes(all.join('\n'));
    }
    case 6: {
      const [from, to] = [
        random.pick([',', ';', '\t', '.', '"', '\n', ' ']),
        random.pick([',', ';', '\t', '|', '  ', '"', '\r\n', '\r', '', '""']),
      ];
      return toBytes(text().replaceAll(from, to));
    }
    case 7:
      return toBytes(replacedCell(random, text(), longCell(random)));
    case 8:
      return Buffer.concat([
        Buffer.from(
          random.pick([
            '\ufeff',
            'sep=;\n',
            '# note\n',
            '\n\n',
            'title\n\n',
            '\u0000',
            'PK\u0003\u0004',
            '%PDF-1.4',
            '<html>',
            '{"a":1}\n',
            'PAR1',
          ]),
        ),
        bytes,
      ]);
    case 9:
      return Buffer.from(`${random.pick(['\ufeff', ''])}${text()}`, 'utf16le');
    case 10:
      return gzipSync(bytes);
    case 11: {
      // Columns change places, or there are more.
      const column = random.below(8);
      const times = 1 + random.small(random.pick([3, 200]));
      return toBytes(
        lines()
          .map((line) => {
            const cells = line.split(',');
            return [...cells, ...Array(times).fill(cells[column] ?? '')].join();
          })
          .join('\n'),
      );
    }
    case 12: {
      // Many rows that can't be read, after rows of usual or many columns.
      const kept = lines().slice(0, 2 + random.below(6));
      const more = random.oneIn(2) ? `,${'1,'.repeat(random.small(60_000))}1` : '';
      const good = kept.map((line) => line + more).join('\n');
      const bad = random.pick(['1', '1,2', ',', kept.at(-1).replaceAll(/\d+/g, 'x'), `${kept.at(-1)},1`]);
      return toBytes(`${good}\n${badLines(random, bad, good.length, kept.at(-1) + more)}`);
    }
    case 13:
      return Buffer.from(csvOf(rowsOf(1 + random.small(4000))).replaceAll('Bern', random.pick(CELLS)));
    default: {
      const part = text().slice(text().indexOf('\n') + 1);
      return toBytes(
        text() + part.repeat(Math.min(1 + random.small(200), Math.floor(MOST_BYTES / (part.length + 1)))),
      );
    }
  }
}

/** A part many times; what looks like a number or a date up to there may turn out to be none at the end. */
function longCell(random) {
  const part = random.pick([
    ...['x', '1', ',', '"', ' ', '9', ',1', ',"a"', '\n', '1,2\n', '.', '-'],
    ...['0', '\t', ' 0 ', '0.', '.0', ';0', '%', '(', '/1', '1e', 'a '],
  ]);
  const start = random.pick(['', '', '0', '1.', '–', '<', '(', '+', '$', 'Mon', '2024-01-01T']);
  return `${start}${part.repeat(random.small(300_000))}${random.pick(['', 'x'])}`;
}

/** A bad line many times, here and there with a good one among them. */
function badLines(random, bad, length, good) {
  const most = Math.floor((MOST_BYTES - length) / (bad.length + 1));
  const lines = Array(Math.max(0, Math.min(random.pick([most, random.small(3000)]), most))).fill(bad);
  if (lines.length > 0)
    for (let left = random.below(4); left > 0; left--) lines[random.below(lines.length)] = good;
  return lines.join('\n');
}

/** The text with another cell in one place. */
function replacedCell(random, text, cell) {
  const borders = [...text.matchAll(/[,;\t\n|]/g)].map(({ index }) => index);
  if (borders.length < 2) return text + cell;
  const at = random.below(borders.length - 1);
  return text.slice(0, borders[at] + 1) + cell + text.slice(borders[at + 1]);
}

export function createJsonLines(folder, processes) {
  const samples = [{ bytes: Buffer.from(jsonLinesOf(ROWS)), target: 'kind' }, ...caseFiles('.jsonl')];
  const mutate = (random, bytes, others) => {
    if (random.oneIn(3)) return random.oneIn(8) ? gzipSync(bytes) : mutateBytes(random, bytes, others);
    const lines = bytes.toString('latin1').split('\n');
    const at = random.below(lines.length);
    if (random.oneIn(6)) {
      const good = lines.slice(0, 1 + random.below(6));
      if (random.oneIn(2))
        good.push(
          good[0].replace(
            '{',
            `{${Array.from({ length: random.small(100_000) }, (_, i) => `"${i}":0,`).join('')}`,
          ),
        );
      const text = good.join('\n');
      const bad = random.pick([
        'x',
        '{',
        '[]',
        '{"0":1',
        '{}',
        '{"0":1,x',
        '{"age":"x"}',
        good[0].slice(0, -2),
      ]);
      return Buffer.from(`${text}\n${badLines(random, bad, text.length, good[0])}`, 'latin1');
    }
    if (random.oneIn(8)) return Buffer.from(`[${lines.filter((line) => line !== '').join()}]`, 'latin1');
    if (random.oneIn(8)) lines.splice(at, 0, ...copies(lines[at], 1 + random.small(2000)));
    else if (random.oneIn(10))
      lines[at] = `{${Array.from({ length: random.small(120_000) }, (_, i) => `"${i}":0`).join()}}`;
    else lines[at] = mutateJson(random, lines[at], NAMES);
    return Buffer.from(lines.join('\n'), 'latin1');
  };
  return createTables({ folder, processes, file: 'data.jsonl', samples, mutate });
}

export async function createParquet(folder, processes) {
  const fixtures = projectPath('test/fixtures/parquet');
  const samples = readdirSync(fixtures)
    .filter((name) => name.endsWith('.parquet'))
    .map((name) => ({ bytes: readFileSync(join(fixtures, name)), target: 'category' }));
  const features = ['int8', 'half', 'float', 'double', 'bool', 'text', 'date', 'decimal'];
  const config = {
    network: { layers: [4, 'tanh', 2] },
    data: {
      train: 'data.parquet',
      target: 'category',
      features,
      missing: 'drop-row',
      badRows: 'skip',
    },
    training: { epochs: 1 },
    threads: 1,
  };
  const sound = samples.find(({ bytes }) => bytes.equals(readFileSync(join(fixtures, 'snappy.parquet'))));
  const sample = join(folder, 'parquet');
  mkdirSync(sample, { recursive: true });
  writeFileSync(join(sample, 'data.parquet'), sound.bytes);
  writeFileSync(join(sample, 'config.json'), JSON.stringify(config));
  await requireDone(processes, ['train', 'config.json', '--run', 'r'], sample);
  const model = readFileSync(join(sample, 'r/model.safetensors'));
  const others = samples.map(({ bytes }) => bytes);
  const commands = [
    ['inspect', 'data.parquet', '--json'],
    ['inspect', 'data.parquet', '--target', 'text'],
    ['init', 'data.parquet', '--target', 'category', '-o', 'new.json', '--force', '--preset', 'plain'],
    ['train', 'config.json', '--run', 'r', '--json'],
    [
      'predict',
      'm.safetensors',
      'data.parquet',
      '--keep',
      'all',
      '--bad-rows',
      'blank',
      '-o',
      'out.csv',
      '--force',
    ],
    ['evaluate', 'm.safetensors', 'data.parquet', '--bad-rows', 'skip', '--json'],
  ];
  return {
    make(random, input, isSound) {
      let { bytes } = isSound ? sound : random.pick(samples);
      for (let left = isSound ? 0 : random.mutations(); left > 0; left--)
        bytes = cut(mutateParquet(random, bytes, others));
      writeFileSync(join(input, 'data.parquet'), bytes);
      writeFileSync(join(input, 'config.json'), JSON.stringify(config));
      writeFileSync(join(input, 'm.safetensors'), model);
      return {
        commands: isSound ? commands : [random.pick(commands), random.pick(commands)],
        files: ['data.parquet'],
      };
    },
    owned: (args) => ['r', 'new.json', 'out.csv'].filter((path) => args.includes(path)),
  };
}

/** Mostly where it matters: the footer, and the headers of pages. */
function mutateParquet(random, bytes, others) {
  if (bytes.length < 12 || random.oneIn(4)) return mutateBytes(random, bytes, others);
  const footer = Math.min(bytes.readUInt32LE(bytes.length - 8), bytes.length - 8);
  const begin = bytes.length - 8 - footer;
  if (random.oneIn(3)) {
    // The pages: the footer still finds them.
    const copy = Buffer.from(bytes);
    for (let left = 1 + random.small(6); left > 0; left--)
      copy[random.below(begin + 1)] = random.oneIn(2)
        ? random.below(256)
        : random.pick([0, 1, 0x7f, 0x80, 0xff]);
    return copy;
  }
  if (random.oneIn(8)) {
    const copy = Buffer.from(bytes);
    copy.writeUInt32LE(
      random.pick([0, 1, footer - 1, footer + 1, bytes.length, 2 ** 31, 2 ** 32 - 1]) >>> 0,
      copy.length - 8,
    );
    return copy;
  }
  const changed = mutateBytes(random, bytes.subarray(begin, bytes.length - 8), others);
  const length = Buffer.alloc(8);
  length.writeUInt32LE(changed.length);
  length.write('PAR1', 4);
  return Buffer.concat([bytes.subarray(0, begin), changed, length]);
}
