import { expect, it } from 'vitest';
import { LiveLines } from '../../src/report/liveLines.js';

it('draws lines in the place of the last ones, as wide as the terminal, and leaves it as it was', () => {
  let lines = ['0 of 20 trials complete', 'trial 0'];
  let written = '';
  const take = () => {
    const text = written;
    written = '';
    return text;
  };
  const stream = {
    columns: 16,
    write(text: string) {
      written += text;
    },
  };
  const live = new LiveLines(stream, () => lines);
  live.draw();
  expect(take()).toBe('');
  live.start();
  live.draw();
  expect(take()).toBe('\x1b[?25l0 of 20 trials…\ntrial 0\n');
  lines = ['1 of 20'];
  live.draw();
  expect(take()).toBe('\x1b[2A\x1b[J1 of 20\n');
  live.clear();
  live.clear();
  expect(take()).toBe('\x1b[1A\x1b[J');
  live.draw();
  take();
  live.finish();
  live.finish();
  expect(take()).toBe('\x1b[1A\x1b[J\x1b[?25h');
  live.draw();
  expect(take()).toBe('');
});
