import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { schemaPath } from '../../src/cli/schemaPath.js';

it.each([
  ['/src/mlp/configs', '/src/mlp', '../schema/config.schema.json'],
  ['/src/mlp', '/src/mlp', './schema/config.schema.json'],
  [
    '/home/a/project',
    '/home/a/project/node_modules/mlp-train',
    './node_modules/mlp-train/schema/config.schema.json',
  ],
  [
    '/home/a/project/configs/small',
    '/home/a/project/node_modules/mlp-train',
    '../../node_modules/mlp-train/schema/config.schema.json',
  ],
  ['/home/a/other', '/home/a/project/node_modules/mlp-train', undefined],
  ['/home/a', '/home/a/project/node_modules/mlp-train', undefined],
  ['/home/a', '/usr/lib/node_modules/mlp-train', undefined],
  ['/src/..mlp', '/src/mlp', undefined],
  ['/src/mlp/..configs', '/src/mlp', '../schema/config.schema.json'],
])('from %s to %s it is %s', (folder, packageFolder, expected) => {
  expect(schemaPath(resolve(folder), resolve(packageFolder))).toBe(expected);
});
