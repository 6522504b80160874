import { describe, expect, it } from 'vitest';
import { Message } from '../../src/files/protobuf.js';

describe('a message', () => {
  it('may have more parts than a call takes arguments', () => {
    const inner = new Message();
    for (let i = 0; i < 2 ** 17; i++) inner.integer(1, 1);
    const outer = new Message().message(2, inner);
    expect(inner.size).toBe(2 ** 18);
    expect(outer.size).toBe(2 ** 18 + 1 + 3);
  });
});
