import { describe, expect, it } from 'vitest';
import { ExitCode, MlpError } from '../../src/errors.js';
import { readGraph } from '../../src/gradcheck/graphFile.js';

function manualOf(w: number | string) {
  const json = {
    inputs: { x: 2, w: 3, b: 1 },
    nodes: { y: 'relu(x * w + b)' },
    output: 'y',
    manual: { w },
  };
  return readGraph(json, 'graph.json').manual.get('w');
}

describe('manual values', () => {
  it.each([
    [0.25, { value: 0.25 }],
    ['1/4', { value: 0.25, text: '1/4' }],
    [' x*(w + b) ', { value: 8, text: 'x*(w + b)' }],
    ['y - 2', { value: 5, text: 'y - 2' }],
    ['-0.20', { value: -0.2, text: '-0.20', rounding: 0.005 }],
    ['3', { value: 3, text: '3', rounding: 0.5 }],
    ['12e-3', { value: 0.012, text: '12e-3', rounding: 0.0005 }],
    ['?', { value: Number.NaN, text: '?' }],
  ])('reads %j', (given, expected) => {
    expect(manualOf(given)).toMatchObject(expected);
  });

  it.each([
    ['x *', 'column 4: found the end, expected a number, a name or "("'],
    ['x * v', 'column 5: unknown name "v"; expected one of x, w, b, y'],
    ['w + x / (w - 3)', 'column 5: x / (w - 3) divides by w - 3 = 0; expected another divisor'],
    ['1/0', 'column 1: 1/0 divides by 0; expected another divisor'],
    ['log(-x)', 'column 1: log(-x) is NaN at -x = -2; expected a finite value'],
    ['', 'column 1: found the end, expected a number, a name or "("'],
    ['1e999', 'column 1: found "1e999", expected a number that float64 can hold'],
  ])('refuses %j and says where', (given, message) => {
    expect(() => manualOf(given)).toThrow(new MlpError(ExitCode.config, `graph.json: manual.w: ${message}`));
  });

  it('gives the line and column of the value in the file', () => {
    const text =
      '{"inputs": {"x": 1},\n "nodes": {"y": "x"}, "output": "y",\n "manual": {"x": "1",\n  "y": "z"}}';
    expect(() => readGraph(JSON.parse(text), 'graph.json', text)).toThrow(
      'graph.json:4:8: manual.y: column 1: unknown name "z"',
    );
  });
});
