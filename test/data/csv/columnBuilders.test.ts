import { describe, expect, it } from 'vitest';
import { CellMemory } from '../../../src/data/cellMemory.js';
import { TextBuilder } from '../../../src/data/csv/columnBuilders.js';
import { MissingRule } from '../../../src/data/missingValues.js';
import { ExitCode, MlpError } from '../../../src/errors.js';

const context = {
  findsMixtures: false,
  memory: new CellMemory(),
  missing: () => MissingRule.standard,
  plain: () => undefined,
  messages: () => ({ header: true, location: (row: number) => `t.csv:${row + 2}: column "id"` }),
};

describe('TextBuilder', () => {
  it('refuses more distinct texts than a category may have, before a Map refuses them', () => {
    const builder = new TextBuilder(context, 0, 8, 3);
    ['a', 'b', '', 'a', 'c', 'NA', 'b'].forEach((cell, row) => {
      builder.add(cell, row);
    });
    let error: unknown;
    try {
      builder.add('d', 7);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(MlpError);
    expect(error).toMatchObject({
      exitCode: ExitCode.data,
      message: 't.csv:9: column "id": found more than 3 distinct texts, expected categories',
    });
    expect(builder.finish(7)).toEqual({
      kind: 'text',
      levels: ['a', 'b', 'c'],
      codes: Int32Array.of(0, 1, -1, 0, 2, -1, 1),
      missing: 2,
    });
  });
});
