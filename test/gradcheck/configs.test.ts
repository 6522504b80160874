import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { checkGraph } from '../../src/gradcheck/check.js';
import { readGraph } from '../../src/gradcheck/graphFile.js';
import { readJson } from '../../src/spec/json.js';

const folder = new URL('../../configs/gradcheck/', import.meta.url);

describe('configs/gradcheck', () => {
  it.each(readdirSync(folder))('%s passes without a kink', (file) => {
    const { value } = readJson(fileURLToPath(new URL(file, folder)));
    const { check } = checkGraph(readGraph(value, file), file);
    expect(check.passed).toBe(true);
    expect(check.parameters.filter(({ kink }) => kink)).toEqual([]);
    expect(check.maxRelativeError).toBeLessThan(1e-10);
  });
});
