import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { networkProblems, residualReluGraph } from '../../src/gradcheck/builtin.js';
import { readGraph } from '../../src/gradcheck/graphFile.js';
import { LAYER_TYPES } from '../../src/network/layerTypes.js';
import type { LayerSpec } from '../../src/spec/layerSpec.js';
import { LOSS_NAMES } from '../../src/spec/words.js';
import { projectPath } from '../support/fixtures.js';

describe('the built-in checks', () => {
  it('begin with the graph of configs/gradcheck/residual-relu.json', () => {
    const path = projectPath('configs/gradcheck/residual-relu.json');
    expect(residualReluGraph()).toEqual(readGraph(JSON.parse(readFileSync(path, 'utf8')), path));
  });

  it('hold every layer, loss and regulariser between them', () => {
    const typesOf = (layers: readonly LayerSpec[]): string[] =>
      layers.flatMap((layer) => [layer.type, ...(layer.type === 'residual' ? typesOf(layer.layers) : [])]);
    const problems = networkProblems();
    const types = new Set(problems.flatMap(({ spec }) => typesOf(spec.layers)));
    expect([...types].sort()).toEqual(Object.keys(LAYER_TYPES).sort());
    expect(new Set(problems.map(({ loss }) => loss))).toEqual(new Set(LOSS_NAMES));
    const weighted = problems.filter(({ weights }) => weights);
    expect(new Set(weighted.map(({ loss }) => loss))).toEqual(new Set(LOSS_NAMES));
    expect(problems.some(({ l2 }) => l2 > 0)).toBe(true);
    expect(problems.some(({ l1 = 0 }) => l1 > 0)).toBe(true);
    expect(problems.some(({ rows }) => rows === 1)).toBe(true);
  });
});
