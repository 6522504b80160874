import { Writable } from 'node:stream';
import { Chalk } from 'chalk';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EpochSummary } from '../../src/report/progress.js';
import { chalkStyle, plainStyle } from '../../src/report/style.js';
import {
  type BarState,
  formatBarLine,
  formatFolds,
  TerminalProgress,
} from '../../src/report/terminalProgress.js';
import { textWidth } from '../../src/report/width.js';

class FakeTerminal extends Writable {
  readonly isTTY: boolean = true;
  columns = 80;
  written = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written += chunk.toString();
    done();
  }

  /** What was written since the last call. */
  take(): string {
    const text = this.written;
    this.written = '';
    return text;
  }
}

class FakePipe extends FakeTerminal {
  override readonly isTTY = false;
}

/** Codes that hide and show the cursor, and turn the wrapping of lines off and on. */
const HIDE = '\x1b[?25l';
const SHOW = '\x1b[?25h';
const NO_WRAP = '\x1b[?7l';
const WRAP = '\x1b[?7h';

const summary: EpochSummary = {
  epoch: 1,
  epochs: 2,
  step: 10,
  learningRate: 0.1,
  seconds: 1,
  train: { loss: 0.5, accuracy: 0.75 },
};

function bare(text: string): string {
  return text.replace(/\x1b(?:\[[\d;?]*[a-zA-Z]|[78])/g, '');
}

describe('TerminalProgress', () => {
  let stream: FakeTerminal;
  let time: number;
  let progress: TerminalProgress;

  beforeEach(() => {
    // cli-progress redraws by a timer of its own; it fires where a test says so.
    vi.useFakeTimers();
    stream = new FakeTerminal();
    time = 0;
    progress = new TerminalProgress({ stream, style: plainStyle, now: () => time });
  });

  afterEach(() => {
    progress.finish();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it('draws a bar with loss, samples a second and time left', () => {
    progress.epochStarted(1, 2, 100);
    time = 1000;
    progress.stepDone(25, 0.8, 41_234);
    expect(bare(stream.take())).toBe(
      'epoch 1/2  ███░░░░░░░░░░   25%  loss  0.8000  41.2k samples/s  3 s left',
    );
  });

  it('replaces the bar by a line when the epoch is over', () => {
    progress.epochStarted(1, 2, 100);
    time = 1000;
    progress.stepDone(25, 0.8, 41_234);
    stream.take();
    progress.epochDone(summary);
    const text = stream.take();
    expect(text).toContain('\x1b[2K');
    expect(text.slice(text.indexOf('\x1b[2K') + 4)).toBe(
      'epoch 1/2  loss  0.5000  accuracy 0.7500  |     1 s\n',
    );
  });

  it('draws at most twelve times a second', () => {
    progress.epochStarted(1, 1, 10_000);
    let pictures = 0;
    for (let step = 1; step <= 10_000; step++) {
      time += 0.1;
      progress.stepDone(step, 1 / step, 10_000);
      if (bare(stream.take()) !== '') pictures++;
    }
    expect(pictures).toBeGreaterThan(8);
    expect(pictures).toBeLessThanOrEqual(12);
  });

  it('draws no bar for an epoch of less than a twelfth of a second', () => {
    progress.epochStarted(1, 2, 2);
    time = 40;
    progress.stepDone(1, 1, 100);
    time = 80;
    progress.stepDone(2, 0.5, 100);
    progress.epochDone(summary);
    expect(stream.take()).toBe('epoch 1/2  loss  0.5000  accuracy 0.7500  |     1 s\n');
  });

  it('gives cursor and line wrapping back on finish, once, also in the middle of an epoch', () => {
    progress.epochStarted(1, 2, 100);
    time = 1000;
    progress.stepDone(25, 0.8, 41_234);
    const before = stream.take();
    expect(before).toContain(HIDE);
    expect(before).toContain(NO_WRAP);
    progress.finish();
    const after = stream.take();
    expect(after).toContain(SHOW);
    expect(after).toContain(WRAP);
    expect(bare(after)).toBe('');
    progress.finish();
    expect(stream.take()).toBe('');
  });

  it('never sends the cursor back to a saved place', () => {
    for (const epoch of [1, 2]) {
      progress.epochStarted(epoch, 2, 100);
      time += 1000;
      progress.stepDone(25, 0.8, 41_234);
      progress.epochDone({ ...summary, epoch });
    }
    expect(stream.take()).not.toMatch(/\x1b[78]/);
  });

  it('follows the width of the window', () => {
    progress.epochStarted(1, 2, 100);
    for (const columns of [80, 60, 39, 20, 8, 120]) {
      stream.columns = columns;
      time += 100;
      progress.stepDone(25, 0.8, 41_234);
      const line = bare(stream.take());
      expect(line).toMatch(/^epoc/);
      expect(textWidth(line)).toBeLessThan(columns);
    }
  });

  it('draws anew by itself when the window was resized between two steps', () => {
    progress.epochStarted(1, 2, 100);
    time = 1000;
    progress.stepDone(25, 0.8, 41_234);
    stream.take();
    vi.advanceTimersByTime(500);
    expect(stream.take()).toBe('');
    stream.columns = 40;
    vi.advanceTimersByTime(500);
    expect(textWidth(bare(stream.take()))).toBeLessThan(40);
  });

  it('leaves signals to the command line', () => {
    const before = process.listenerCount('SIGINT');
    progress.epochStarted(1, 2, 100);
    time = 1000;
    progress.stepDone(25, 0.8, 41_234);
    expect(process.listenerCount('SIGINT')).toBe(before);
  });

  it('draws no bar where the stream is no terminal', () => {
    const pipe = new FakePipe();
    const piped = new TerminalProgress({ stream: pipe, style: plainStyle, now: () => time });
    piped.epochStarted(1, 2, 100);
    time = 1000;
    piped.stepDone(25, 0.8, 41_234);
    piped.epochDone(summary);
    piped.finish();
    expect(pipe.take()).toBe('epoch 1/2  loss  0.5000  accuracy 0.7500  |     1 s\n');
  });
});

describe('formatFolds', () => {
  const state = { finished: 3, folds: 10, share: 0.345, secondsLeft: 125 };

  it.each([
    [80, '3/10 folds  ██████████░░░░░░░░░░░░░░░░░░░░   34%  2 min 5 s left'],
    [50, '3/10 folds  █████░░░░░░░░░   34%  2 min 5 s left'],
    [20, '3/10 folds   34%'],
    [6, '3/10 …'],
  ])('fits %i columns', (width, line) => {
    expect(formatFolds(state, { width, style: plainStyle })).toBe(line);
  });
});

describe('formatBarLine', () => {
  const state: BarState = {
    epoch: 3,
    epochs: 30,
    step: 62,
    steps: 100,
    loss: 0.0812,
    samplesPerSecond: 41_234,
    secondsLeft: 3.2,
  };

  it.each([
    [100, 'epoch  3/30  ███████████████████░░░░░░░░░░░   62%  loss 0.08120  41.2k samples/s  3.2 s left'],
    [79, 'epoch  3/30  ███████░░░░   62%  loss 0.08120  41.2k samples/s  3.2 s left'],
    [70, 'epoch  3/30  ████████████░░░░░░░   62%  loss 0.08120  3.2 s left'],
    [50, 'epoch  3/30  ███████████░░░░░░   62%  loss 0.08120'],
    [30, 'epoch  3/30  ███████░░░░   62%'],
    [20, 'epoch  3/30  62%'],
    [6, 'epoch…'],
  ])('fits %i columns', (width, line) => {
    expect(textWidth(line)).toBeLessThanOrEqual(width);
    expect(formatBarLine(state, { width, style: plainStyle })).toBe(line);
  });

  it('keeps to ASCII where that is asked for', () => {
    expect(formatBarLine(state, { width: 30, style: plainStyle, ascii: true })).toBe(
      'epoch  3/30  #######----   62%',
    );
  });

  it('is never wider than the display, with colours or without', () => {
    const states = fc.record({
      epoch: fc.integer({ min: 1, max: 5000 }),
      epochs: fc.integer({ min: 1, max: 5000 }),
      step: fc.nat(2000),
      steps: fc.nat(1000),
      loss: fc.double(),
      samplesPerSecond: fc.double({ min: 0 }),
      secondsLeft: fc.double({ min: 0 }),
    });
    const coloured = chalkStyle(new Chalk({ level: 3 }));
    fc.assert(
      fc.property(states, fc.integer({ min: 0, max: 200 }), (any, width) => {
        const line = formatBarLine(any, { width, style: plainStyle });
        expect(textWidth(line)).toBeLessThanOrEqual(width);
        expect(bare(formatBarLine(any, { width, style: coloured }))).toBe(line);
      }),
    );
  });
});
