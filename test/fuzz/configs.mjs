/** Damaged configs, network specs and graphs: wrong types, huge numbers, deep nesting, other keys. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { cut, mutateBytes, mutateJson, wordsOf } from './random.mjs';
import { CONFIGS, CSV, NAMES, projectPath, trainSamples } from './samples.mjs';

/** A longer run is no fault: sizes and epochs above these are not trained. */
const MOST_PARAMETERS = 50_000;
const MOST_STEPS = 100;
/** Of a batch that is drawn with replacement, all of which are in memory. */
const MOST_ROWS = 100_000;
const LIMITS = ['--set', 'training.epochs=1', '--set', 'threads=1'];

export async function createConfigs(folder, processes) {
  const read = (path) => readFileSync(projectPath(path), 'utf8');
  const below = (path) =>
    readdirSync(projectPath(path))
      .filter((name) => name.endsWith('.json'))
      .map((name) => read(`${path}/${name}`));
  const graphs = below('configs/gradcheck');
  const configs = [...below('configs'), ...below('configs/homework'), ...below('configs/specs')].map(shrunk);
  for (const { config, folder: sample } of await trainSamples(folder, processes)) {
    // As mlp writes it, with every default.
    const written = readFileSync(join(sample, 'r/config.json'), 'utf8').replaceAll('../data.csv', 'data.csv');
    configs.push(JSON.stringify(config), written, written);
  }
  const schemas = ['config', 'network'].map((name) => JSON.parse(read(`schema/${name}.schema.json`)));
  const words = [...new Set([...schemas.flatMap(wordsOf), ...NAMES])];
  const shipped = Object.fromEntries(
    ['iris', 'wine', 'diabetes', 'digits', 'breast-cancer'].map((name) => [
      `${name}.csv`,
      read(`data/${name}.csv`).split('\n').slice(0, 40).join('\n'),
    ]),
  );
  shipped['toy.csv'] = read('configs/homework/toy.csv');

  return {
    make(random, input, isSound) {
      for (const [name, text] of Object.entries({ ...shipped, 'data.csv': CSV }))
        writeFileSync(join(input, name), text);
      const isGraph = !isSound && random.oneIn(5);
      let text = isSound ? JSON.stringify(CONFIGS.classes) : random.pick(isGraph ? graphs : configs);
      for (let left = isSound ? 0 : random.mutations(); left > 0; left--) {
        text = random.oneIn(12)
          ? mutateBytes(
              random,
              Buffer.from(text),
              configs.map((other) => Buffer.from(other)),
            ).toString(random.pick(['utf8', 'latin1']))
          : mutateJson(random, text, words);
      }
      writeFileSync(join(input, 'c.json'), cut(Buffer.from(text)));
      if (isGraph) return { commands: [['gradcheck', 'c.json', '--json']] };
      const overrides = !isSound && random.oneIn(4) ? override(random, words) : [];
      const commands = [['params', 'c.json', '--json', '--max-params', String(MOST_PARAMETERS)]];
      if (isTrainable(text)) {
        commands.push([
          'train',
          'c.json',
          '--run',
          'r',
          ...LIMITS,
          ...overrides,
          ...(random.oneIn(2) ? ['--json'] : []),
        ]);
        if (random.oneIn(3)) commands.push(['gradcheck', 'c.json', '--samples', '2', '--json']);
        if (isSound || random.oneIn(4)) commands.push(['evaluate', 'r', '--json']);
        if (!isSound && random.oneIn(8))
          commands.push(['crossvalidate', 'c.json', '--folds', '2', '--run', 'v', ...LIMITS]);
      }
      if (random.oneIn(5)) commands.reverse();
      return { commands };
    },
    // What params refuses, the others do.
    isLast: ([command], { code }) => command === 'params' && code > 1,
    owned: ([command]) => (command === 'train' ? ['r'] : command === 'crossvalidate' ? ['v'] : []),
  };
}

/** The config with its data beside it. */
function shrunk(text) {
  const config = JSON.parse(text);
  for (const key of ['train', 'validation', 'test']) {
    if (typeof config.data?.[key] === 'string') config.data[key] = basename(config.data[key]);
  }
  return JSON.stringify(config);
}

function override(random, words) {
  const key = `${random.pick(['training', 'data', 'network', random.pick(words)])}.${random.pick(words)}`;
  return [
    '--set',
    `${key}=${random.pick(['1', '0', '-1', 'null', '[]', '{}', '"x"', 'x', '[', '1e999', random.pick(words)])}`,
  ];
}

/** Whether training takes a moment, as far as the text tells. */
function isTrainable(text) {
  let config;
  const numbers = [];
  try {
    config = JSON.parse(text);
    JSON.stringify(config?.network?.layers ?? null, (_, value) => {
      if (typeof value === 'number') numbers.push(value);
      return value;
    });
  } catch {
    // No JSON, or too deep: an error comes before the training.
    return true;
  }
  const products = numbers.reduce(
    (sum, width, i) => sum + Math.abs(width) * Math.abs(numbers[i + 1] ?? 100),
    0,
  );
  const { steps, batchSize } = config?.training ?? {};
  const isMore = (value, most) => typeof value === 'number' && value > most;
  return (
    products <= MOST_PARAMETERS &&
    numbers.length < 500 &&
    !isMore(steps, MOST_STEPS) &&
    !isMore(batchSize, MOST_ROWS)
  );
}
