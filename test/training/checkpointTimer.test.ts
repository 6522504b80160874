import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CheckpointTimer } from '../../src/training/loop.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const spend = (pace: CheckpointTimer, milliseconds: number) =>
  pace.spend(async () => {
    vi.advanceTimersByTime(milliseconds);
  });

describe('the pace of checkpoints', () => {
  it('is one after the first epoch, and after every other unless they take more than a twentieth of the time', async () => {
    const pace = new CheckpointTimer(60);
    expect(pace.isDue).toBe(true);
    await spend(pace, 20);
    vi.advanceTimersByTime(399);
    expect(pace.isDue).toBe(false);
    vi.advanceTimersByTime(1);
    expect(pace.isDue).toBe(true);
  });

  it('is one within an epoch after so many seconds since the last', async () => {
    const pace = new CheckpointTimer(60);
    vi.advanceTimersByTime(20_000);
    await spend(pace, 5);
    vi.advanceTimersByTime(59_000);
    const { signal } = pace.pause();
    vi.advanceTimersByTime(999);
    expect(signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(signal.aborted).toBe(true);
  });

  it('leaves no timer behind a pause that is cancelled, and no listener', () => {
    const controller = new AbortController();
    const pause = new CheckpointTimer(60).pause(controller.signal);
    pause.cancel();
    expect(vi.getTimerCount()).toBe(0);
    controller.abort();
    expect(pause.signal.aborted).toBe(false);
  });

  it('passes a signal on, before and during a pause', () => {
    const controller = new AbortController();
    const before = new CheckpointTimer(60).pause(controller.signal);
    controller.abort();
    const after = new CheckpointTimer(60).pause(controller.signal);
    expect([before.signal.aborted, after.signal.aborted]).toEqual([true, true]);
    before.cancel();
    after.cancel();
  });
});
