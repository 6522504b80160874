import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readJson } from '../../src/spec/json.js';
import { configJsonSchema, networkJsonSchema } from '../../src/spec/jsonSchema.js';
import { loadNetworkSpec, loadTrainConfig } from '../../src/spec/load.js';
import { MISSING_POLICIES } from '../../src/spec/train.js';

const root = join(import.meta.dirname, '../..');

describe('the JSON Schemas in schema/', () => {
  // `npx vitest run test/spec -u` writes them anew.
  it.each([
    ['config.schema.json', configJsonSchema],
    ['network.schema.json', networkJsonSchema],
  ])('%s is what the zod schema says', async (name, schema) => {
    await expect(`${JSON.stringify(schema(), null, 2)}\n`).toMatchFileSnapshot(join(root, 'schema', name));
  });

  it('take the short forms of layers, and a path for the network', () => {
    const schema = configJsonSchema() as {
      properties: { network: { anyOf: object[] } };
      $defs: { layer: { oneOf: object[] } };
    };
    expect(schema.properties.network.anyOf).toMatchObject([{ type: 'string' }, { $ref: '#/$defs/network' }]);
    expect(schema.$defs.layer.oneOf).toMatchObject([
      { type: 'integer', minimum: 1 },
      { type: 'string', enum: expect.arrayContaining(['relu', 'elu', 'softmax']) },
      ...Array(9).fill({ type: 'object' }),
    ]);
  });

  it('describe and default every key of data and training', () => {
    const { properties } = configJsonSchema() as unknown as {
      properties: Record<'data' | 'training', { properties: Record<string, object> }>;
    };
    const entries = Object.entries({ ...properties.data.properties, ...properties.training.properties });
    const withoutDefault = [
      'train',
      'target',
      'comment',
      'weights',
      'epochs',
      'steps',
      'clipNorm',
      'earlyStopping',
    ];
    for (const [key, schema] of entries) {
      expect(schema, key).toHaveProperty('description');
      expect('default' in schema, key).toBe(!withoutDefault.includes(key));
    }
    expect(entries).toHaveLength(27);
  });

  it('take a setting for all columns, or one by column', () => {
    const { properties } = (
      configJsonSchema() as unknown as { properties: { data: { properties: Record<string, object> } } }
    ).properties.data;
    expect(properties.missing).toMatchObject({
      anyOf: [
        { type: 'string', enum: MISSING_POLICIES },
        { type: 'object', additionalProperties: { type: 'string', enum: MISSING_POLICIES } },
      ],
    });
    expect(properties.weights).toMatchObject({
      anyOf: [
        { const: 'balanced' },
        { type: 'object', required: ['column'], additionalProperties: false },
        { type: 'object', additionalProperties: { type: 'number', minimum: 0 } },
      ],
    });
  });
});

describe('the configs that come with the project', () => {
  const names = readdirSync(join(root, 'configs'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.json'),
  );
  const files = names.map((name) => {
    const path = join(root, 'configs', name);
    return { name, path, value: readJson(path).value as object };
  });
  const configs = files.filter(({ value }) => 'network' in value);
  const specs = files.filter(({ value }) => 'layers' in value);

  it('are there', () => {
    expect(configs.length).toBeGreaterThan(0);
    expect(specs.length).toBeGreaterThan(0);
  });

  it.each(configs)('$name loads', ({ path }) => {
    expect(loadTrainConfig(path).config.network.layers.length).toBeGreaterThan(0);
  });

  it.each(specs)('$name loads', ({ path }) => {
    expect(loadNetworkSpec(path).network.layers.length).toBeGreaterThan(0);
  });
});
