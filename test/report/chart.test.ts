import { Chalk } from 'chalk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lossChart } from '../../src/report/chart.js';
import { chalkStyle, plainStyle } from '../../src/report/style.js';
import { textWidth } from '../../src/report/width.js';

const on = (width: number, ascii = false) => ({ width, style: plainStyle, ascii });

/** n values of f over [0, 1], with a ripple of a relative size that is the same in every run. */
function curve(n: number, f: (t: number) => number, ripple = 0): number[] {
  return Array.from({ length: n }, (_, i) => f(n > 1 ? i / (n - 1) : 0) * (1 + ripple * Math.sin(i * i)));
}

const learning = (t: number) => 0.05 + 0.6 * Math.exp(-4 * t);
const overfitting = (t: number) => 0.09 + 0.62 * Math.exp(-4.2 * t) + 0.15 * t * t;

/** Pictures that are looked at as well as compared. */
const gallery = {
  'loss-overfitting': lossChart(
    { training: curve(30, learning, 0.02), validation: curve(30, overfitting, 0.03) },
    on(80),
  ),
  'loss-log-scale': lossChart(
    {
      training: curve(200, (t) => 0.002 + 2.3 * Math.exp(-9 * t), 0.04),
      validation: curve(200, (t) => 0.05 + 2.3 * Math.exp(-8 * t) + 0.12 * t, 0.06),
    },
    on(100),
  ),
  'loss-narrow': lossChart({ training: curve(12, learning), validation: curve(12, overfitting) }, on(40)),
  'loss-wide': lossChart({ training: curve(5, learning), validation: curve(5, overfitting) }, on(160)),
  'loss-ascii': lossChart(
    { training: curve(30, learning), validation: curve(30, overfitting) },
    on(80, true),
  ),
  'loss-without-validation': lossChart({ training: curve(100_000, learning, 0.3) }, on(80)),
  'loss-one-epoch': lossChart({ training: [0.69], validation: [0.7] }, on(60)),
  'loss-constant': lossChart({ training: curve(10, () => 0.5), validation: curve(10, () => 0.5) }, on(60)),
  'loss-with-gaps': lossChart(
    {
      training: curve(40, learning).map((v, i) => (i === 7 ? Number.POSITIVE_INFINITY : v)),
      validation: curve(40, overfitting).map((v, i) => (i % 5 === 4 ? v : Number.NaN)),
    },
    on(80),
  ),
};

describe('lossChart', () => {
  it.each(Object.entries(gallery))('draws %s', async (name, picture) => {
    await expect(`${picture}\n`).toMatchFileSnapshot(`snapshots/${name}.txt`);
  });

  it('draws ASCII alone where that is asked for', () => {
    expect(gallery['loss-ascii']).toMatch(/^[\n\x20-\x7e]*$/);
  });

  it('names the epoch and the value of the lowest validation loss', () => {
    const chart = lossChart({ training: [3, 2, 1, 0.5], validation: [3, 2, 1.25, 2] }, on(80));
    expect(chart.split('\n').at(-1)?.trim()).toBe('o lowest validation loss 1.250 at epoch 3');
  });

  it('takes a logarithmic scale from a range of one and a half decades, and says so', () => {
    expect(lossChart({ training: [10, 0.32] }, on(80))).not.toContain('log scale');
    expect(lossChart({ training: [10, 0.31] }, on(80))).toContain('loss, log scale');
    expect(lossChart({ training: [10, 0] }, on(80))).not.toContain('log scale');
  });

  it('puts a value into the row of its label', () => {
    const lines = lossChart({ training: [0.2, 0.4, 0.6, 0.8, 1] }, on(40, true)).split('\n');
    expect(lines.find((line) => line.startsWith(' 1.0'))).toMatch(/\*$/);
    expect(lines.find((line) => line.startsWith(' 0.2'))).toMatch(/\+\*+$/);
  });

  it('says so where there is nothing to draw', () => {
    expect(lossChart({ training: [] }, on(80))).toBe('no finite loss to draw');
    expect(lossChart({ training: [Number.NaN, Number.POSITIVE_INFINITY] }, on(80))).toBe(
      'no finite loss to draw',
    );
  });

  it('keeps a dip of one epoch among 100,000 on the picture as the lowest point', () => {
    const validation = curve(100_000, () => 0.5);
    validation[70_000] = 0.25;
    expect(lossChart({ training: curve(100_000, learning), validation }, on(80))).toContain(
      '0.2500 at epoch 70,001',
    );
  });

  it('paints each series in its own colour, and moves nothing by it', () => {
    const curves = { training: curve(30, learning), validation: curve(30, overfitting) };
    const painted = lossChart(curves, { width: 80, style: chalkStyle(new Chalk({ level: 3 })) });
    expect(painted).toContain('\x1b[38;2;32;128;208m');
    expect(painted).toContain('\x1b[38;2;217;96;16m');
    const bare = painted.replace(/\x1b\[[\d;]+m/g, '');
    expect(bare.split('\n').map((line) => line.trimEnd())).toEqual(lossChart(curves, on(80)).split('\n'));
  });

  it('keeps to the width and the axis to its column, whatever the losses', () => {
    const losses = fc.array(fc.oneof(fc.double(), fc.double({ min: 0, max: 3, noNaN: true })), {
      maxLength: 300,
    });
    fc.assert(
      fc.property(
        losses,
        losses,
        fc.integer({ min: 24, max: 200 }),
        fc.integer({ min: 2, max: 20 }),
        fc.boolean(),
        (training, validation, width, height, ascii) => {
          const chart = lossChart({ training, validation }, on(width, ascii), { height });
          if (chart === 'no finite loss to draw') return;
          const lines = chart.split('\n');
          for (const line of lines) {
            expect(textWidth(line)).toBeLessThanOrEqual(width);
            expect(line).toBe(line.trimEnd());
          }
          const plot = lines.filter((line) => (ascii ? /^ *[-\d.e]* [|+]/ : /[│┤└]/).test(line));
          expect(plot.length).toBeGreaterThan(2);
          const walls = plot.map((line) => line.search(ascii ? /(?<=^ *[-\d.e]* )[|+]/ : /[│┤└]/));
          expect(new Set(walls).size).toBe(1);
          expect(plot.filter((line) => /^ *[-\d.e]*\d [┤+]/.test(line)).length).toBeGreaterThan(1);
          expect(chart).not.toMatch(/NaN|Infinity|undefined|\x1b/);
        },
      ),
      { numRuns: 200 },
    );
  });
});
