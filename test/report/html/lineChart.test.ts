/** Curves of extreme values as pictures. */
import { describe, expect, it } from 'vitest';
import { extremes } from '../../../src/report/curve.js';
import { type LineChart, lineChart } from '../../../src/report/html/lineChart.js';

const chart = (changes: Partial<LineChart>): LineChart => ({
  title: 'Loss',
  label: 'epoch',
  counts: true,
  series: [{ name: 'training', x: [1, 2, 3], y: [3, 2, 1] }],
  ...changes,
});

const draw = (changes: Partial<LineChart>) => lineChart('c', chart(changes))?.markup.text ?? '';

/** The ends of all drawn lines. */
const coordinates = (markup: string) =>
  [...markup.matchAll(/<path class="(?:line|lone)[^"]*" d="([^"]*)"/g)].flatMap(([, d]) =>
    [...d.matchAll(/[ML](-?[\d.]+) (-?[\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]),
  );

const expectBetween = (value: number, low: number, high: number) => {
  expect(value).toBeGreaterThanOrEqual(low);
  expect(value).toBeLessThanOrEqual(high);
};

describe('a chart of curves', () => {
  it('is nothing without a finite value', () => {
    expect(lineChart('c', chart({ series: [] }))).toBeUndefined();
    expect(
      lineChart(
        'c',
        chart({ series: [{ name: 'a', x: [1, 2], y: [Number.NaN, Number.POSITIVE_INFINITY] }] }),
      ),
    ).toBeUndefined();
  });

  it('draws from corner to corner', () => {
    expect(coordinates(draw({}))[0][0]).toBe(56);
    expect(coordinates(draw({}))[2][0]).toBe(456);
  });

  it('leaves a gap where a value is NaN, and a dot where it is alone', () => {
    const markup = draw({
      series: [{ name: 'a', x: [1, 2, 3, 4, 5], y: [1, 2, Number.NaN, 4, Number.NaN] }],
    });
    const [line] = [...markup.matchAll(/<path class="line[^"]*" d="([^"]*)"/g)].map(([, d]) => d);
    expect(line.match(/M/g)).toHaveLength(2);
    expect(markup.match(/class="lone/g)?.length).toBeGreaterThan(0);
  });

  it('shows a single epoch as a dot', () => {
    const markup = draw({ series: [{ name: 'a', x: [1], y: [0.5] }] });
    expect(markup).toContain('class="lone c0"');
    expect(coordinates(markup).flat().every(Number.isFinite)).toBe(true);
  });

  it.each([
    ['equal values', [2, 2, 2]],
    ['values of rounding errors', [1, 1 + 1e-15, 1]],
    ['huge values', [1e300, -1e300, 1e199]],
    ['tiny values', [1e-300, 1e-299, 1e-298]],
    ['zeros', [0, 0, 0]],
    ['many decades', [1e-9, 1, 1e9]],
  ])('has finite coordinates inside of its frame for %s', (_, y) => {
    const markup = draw({ series: [{ name: 'a', x: [1, 2, 3], y }] });
    for (const [x, height] of coordinates(markup)) {
      expectBetween(x, 56, 456);
      expectBetween(height, 20, 232);
    }
    expect(markup).not.toMatch(/NaN|Infinity/);
  });

  it('offers a logarithmic axis for positive values alone, and takes it as the terminal does', () => {
    expect(draw({})).toContain('class="log"');
    expect(draw({})).not.toContain('checked><label class="choice" for="c-log"');
    const wide = draw({ series: [{ name: 'a', x: [1, 2], y: [0.001, 1] }] });
    expect(wide).toContain('checked><label class="choice" for="c-log"');
    expect(draw({ series: [{ name: 'a', x: [1, 2], y: [-1, 1] }] })).not.toContain('class="log"');
    expect(draw({ series: [{ name: 'a', x: [1, 2], y: [0, 1] }] })).not.toContain('class="log"');
  });

  it('draws a million steps as the least and the greatest of each pixel', () => {
    const steps = 1_000_000;
    const x = Float64Array.from({ length: steps }, (_, i) => i + 1);
    const y = Float64Array.from(x, (step) => 1 / step);
    y[123_456] = 9;
    y[765_432] = -9;
    const drawn = lineChart('c', chart({ series: [{ name: 'a', x, y }] }));
    const data = drawn?.data as { series: { x: number[]; y: number[] }[] };
    expectBetween(data.series[0].x.length, 400, 900);
    expect(Math.max(...data.series[0].y)).toBe(9);
    expect(Math.min(...data.series[0].y)).toBe(-9);
    expect(drawn?.markup.text.length).toBeLessThan(20_000);
  });

  it('escapes the names of series', () => {
    const markup = draw({
      series: [
        { name: '</svg><b>', x: [1, 2], y: [1, 2] },
        { name: 'b', x: [1, 2], y: [2, 1] },
      ],
    });
    expect(markup).toContain('&lt;/svg&gt;&lt;b&gt;');
    expect(markup).not.toContain('</svg><b>');
  });

  it('tells the script the values that it draws, NaN as null', () => {
    const drawn = lineChart('c', chart({ series: [{ name: 'a', x: [1, 2, 3], y: [1, Number.NaN, 1 / 3] }] }));
    expect(drawn?.data).toMatchObject({
      x: [1, 3],
      series: [{ name: 'a', x: [1, 2, 3], y: [1, null, 0.33333] }],
    });
  });
});

describe('the extremes of a curve', () => {
  it('are all values where these are few', () => {
    expect(extremes([1, 2, 3], [3, Number.NaN, 1], 2)).toEqual({ x: [1, 2, 3], y: [3, Number.NaN, 1] });
  });

  it('are in the order of the values', () => {
    const x = Array.from({ length: 100 }, (_, i) => i);
    const found = extremes(
      x,
      x.map((i) => Math.sin(i)),
      10,
    );
    expect(found.x).toEqual(found.x.toSorted((a, b) => a - b));
    expectBetween(found.x.length, 10, 22);
  });

  it('keep a gap only where a whole range is one', () => {
    const x = Array.from({ length: 100 }, (_, i) => i);
    const y = x.map((i) => (i >= 40 && i < 70 ? Number.NaN : i));
    const found = extremes(x, y, 10);
    expect(found.y.some(Number.isNaN)).toBe(true);
    expect(found.y.filter((value) => !Number.isNaN(value))).toContain(39);
  });
});
