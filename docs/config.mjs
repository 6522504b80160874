// Writes docs/config.md, the reference of a config's keys, from schema/config.schema.json.
//   node docs/config.mjs      writes the file (npm run docs)
//   node docs/config.mjs -    prints it
import { readFileSync, writeFileSync } from 'node:fs';

const schema = JSON.parse(readFileSync(new URL('../schema/config.schema.json', import.meta.url), 'utf8'));
const { network, data, training, recipe, ...machine } = schema.properties;
delete machine.$schema;
const { layer } = schema.$defs;
const { optimizer, schedule } = training.properties;
const loss = training.properties.loss.anyOf.find(({ oneOf }) => oneOf);
const { init } = layer.oneOf.find((variant) => typeOf(variant) === 'linear').properties;

/** The keys whose values are objects with a `type`: a section of their own, and what one of them is called. */
const SECTIONS = new Map([
  [layer, { anchor: 'layers', noun: 'layer' }],
  [init, { anchor: 'starting-weights', noun: 'distribution' }],
  [optimizer, { anchor: 'optimisers', noun: 'optimiser' }],
  [loss, { anchor: 'losses', noun: 'loss' }],
  [schedule, { anchor: 'schedules', noun: 'schedule' }],
]);

const page = `# The config

<!-- Written by docs/config.mjs from schema/config.schema.json. To change it, change the schema, then: npm run docs -->

A config is a JSON file that says which network to train, on which data, and how. Only \`network\`, \`data.train\` and
\`data.target\` are required. An unknown key is an error that names the nearest known one. Every error in it gives the line and the
column: \`config.json:3:26: network.layers[1].type: unknown layer "rellu"\`. Where \`--set\` set the value, it stands for the file.

\`\`\`json
${readFileSync(new URL('../configs/breast-cancer.json', import.meta.url), 'utf8').trim()}
\`\`\`

- Paths are relative to the config file.
- An editor that reads \`$schema\` completes the keys and checks the values.
- \`mlp init data.csv --target column\` writes a config for your data.
- \`"preset": "tabular"\` leaves encodings, network and training to a recipe for tables: an ensemble of wide networks that
  learn much more than a small one, and take longer. \`mlp init\` writes it; \`--preset plain\` writes a small network.
  Unlike the paper's, it smooths no labels: log loss and AUC need the probabilities as they are. Where accuracy alone counts,
  set \`training.labelSmoothing\` 0.1, \`keepMonitor\` "validation_accuracy" and \`keepTies\` "last".
- \`mlp train config.json --set training.epochs=20\` changes any key for one run.
- The run directory holds a \`config.json\` with all defaults filled in.

Contents: [network](#network), [recipe](#recipe), [layers](#layers), [starting weights](#starting-weights), [data](#data),
[training](#training), [losses](#losses), [optimisers](#optimisers), [schedules](#schedules), [seed and machine](#seed-and-machine).

## network

${network.anyOf[1].description ?? schema.$defs.network.description}

${table([['network', network, true], ...keysOf('network', schema.$defs.network)])}

## recipe

${recipe.description}

${table(keysOf('recipe', recipe))}

## Layers

The list \`network.layers\` holds layers, from the input to the output. A number is short for a linear layer with that
many units; the name of a layer is short for that layer with its default keys.

${variants(layer.oneOf, 'layer')}

## Starting weights

The key \`init\` of a linear layer says how its weights start.

${variants(init.oneOf, 'init')}

## data

${data.description} [docs/csv.md](csv.md) says how a file is read.

${table(keysOf('data', data))}

## training

${training.description}

${table(keysOf('training', training))}

## Losses

\`training.loss\` is the name of a loss, or an object with its parameters: \`{"type": "huber", "delta": 1.35}\`.
[docs/csv.md](csv.md#losses-of-a-regression) says what their predictions and metrics are.

${variants(loss.oneOf, 'loss')}

## Optimisers

${optimizer.description} The keys mean what they mean in PyTorch, and have its defaults.

${variants(optimizer.oneOf, 'optimizer')}

## Schedules

${schedule.description}

${variants(schedule.oneOf, 'schedule')}

## Seed and machine

[docs/reproducibility.md](reproducibility.md) says what depends on these keys.

${table(Object.entries(machine).map(([key, value]) => [key, value, false]))}
`;

if (process.argv[2] === '-') process.stdout.write(page);
else writeFileSync(new URL('config.md', import.meta.url), page);

/** One heading, its description and its keys for each object that a \`type\` tells from the others. */
function variants(list, section) {
  return list
    .filter(({ properties }) => properties)
    .map((variant) => {
      const types = variant.properties.type.enum ?? [variant.properties.type.const];
      // Layers of one type may have several kinds, each with its own keys.
      const kind = variant.properties.kind?.const;
      const name = [section, types[0], kind].filter(Boolean).join('-');
      const keys = keysOf(name, variant).filter(([path]) => !/\.(type|kind)$/.test(path));
      const about = variant.description ?? variant.properties.type.description;
      const rows = keys.map(([path, ...rest]) => [path.slice(path.indexOf('.') + 1), ...rest, `${name}-`]);
      return [`### ${types.join(', ')}${kind ? `, kind ${kind}` : ''}`, about, rows.length > 0 && table(rows)]
        .filter(Boolean)
        .join('\n\n');
    })
    .join('\n\n');
}

/** [path, schema, whether it is required] of each key of an object, and of the objects that its keys may hold. */
function keysOf(prefix, { properties, required = [] }) {
  return Object.entries(properties)
    .filter(([key]) => key !== '$schema')
    .flatMap(([key, value]) => [
      [`${prefix}.${key}`, value, required.includes(key)],
      ...[value, ...(value.anyOf ?? [])]
        .filter((inner) => inner.properties && !inner.$ref)
        .flatMap((inner) => keysOf(`${prefix}.${key}`, inner)),
    ]);
}

function table(rows) {
  const taken = new Set(['network']); // The heading has that one.
  const lines = rows.map(([path, value, required, anchor = '']) => {
    const id = `${anchor}${path}`.replaceAll('.', '-').toLowerCase();
    // Several forms of a value may have the same key.
    const anchorTag = taken.has(id) ? '' : `<a id="${id}"></a>`;
    taken.add(id);
    const start = required ? 'required' : defaultOf(value);
    return `| ${anchorTag}\`${path}\` | ${typeText(value)} | ${start} | ${cell(describe(value))} |`;
  });
  return ['| key | value | default | meaning |', '| --- | --- | --- | --- |', ...lines].join('\n');
}

function describe({ description, anyOf = [] }) {
  return description ?? anyOf.find((choice) => choice.description)?.description ?? '';
}

function defaultOf({ default: value, properties }) {
  if (value === undefined || properties) return '';
  return code(typeof value === 'object' && !Array.isArray(value) ? value.type : value);
}

/** What a value may be, in words. */
function typeText(value) {
  if (value.$ref) return value.$ref.endsWith('layer') ? '[layer](#layers)' : 'object, see below';
  const section = sectionOf(value);
  if (section) return `one [${section.noun}](#${section.anchor})`;
  if (value.anyOf) return [...new Set(value.anyOf.map(typeText))].join(', or ');
  if (value.enum) return value.enum.map(code).join(', ');
  if (value.const !== undefined) return code(value.const);
  if (value.type === 'array') return `list of ${bracketed(value.items)}`;
  if (value.type === 'boolean') return '`true`, `false`';
  if (value.type === 'object') return objectText(value);
  if (value.pattern) return `one of the characters \`\` ${cell(charactersOf(value.pattern))} \`\``;
  if (value.type === 'string') return 'text';
  return `${value.type === 'integer' ? 'whole number' : 'number'}${rangeOf(value)}`;
}

function objectText({ properties, additionalProperties }) {
  if (properties) return `object: ${Object.keys(properties).map(code).join(', ')}`;
  return `object from names to ${bracketed(additionalProperties)}`;
}

function bracketed(value) {
  const text = typeText(value);
  return /[, ]/.test(text) && !value.$ref ? `(${text})` : text;
}

function rangeOf({ minimum, exclusiveMinimum, maximum, exclusiveMaximum }) {
  const low =
    minimum !== undefined ? `≥ ${minimum}` : exclusiveMinimum !== undefined ? `> ${exclusiveMinimum}` : '';
  const top = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  const high = top !== undefined ? `≤ ${top}` : exclusiveMaximum !== undefined ? `< ${exclusiveMaximum}` : '';
  const both = [low, high].filter(Boolean).join(', ');
  return both && ` ${both}`;
}

/** The section that describes a value: the one that has all its types. */
function sectionOf(value) {
  const types = value.oneOf?.map(typeOf).filter(Boolean);
  if (!types?.length) return undefined;
  for (const [known, section] of SECTIONS) {
    const all = known.oneOf.map(typeOf);
    if (types.every((type) => all.includes(type))) return section;
  }
  return undefined;
}

function typeOf({ properties }) {
  return properties?.type?.const ?? properties?.type?.enum?.[0];
}

/** The characters of a pattern like ^[abc]$. */
function charactersOf(pattern) {
  return pattern.slice(2, -2).replace(/\\(.)/g, '$1');
}

function code(value) {
  const text = typeof value === 'string' ? value.replaceAll('\t', '\\t') : JSON.stringify(value);
  return `\`${cell(text)}\``;
}

/** Text for a cell of a table. */
function cell(text) {
  return text.replaceAll('|', '\\|');
}
