import { describe, expect, it } from 'vitest';
import { ExitCode, MlpError } from '../../src/errors.js';
import { backward, forward } from '../../src/gradcheck/graph.js';
import { readGraph } from '../../src/gradcheck/graphFile.js';

function errorOf(json: unknown, text?: string): MlpError {
  try {
    readGraph(json, 'graph.json', text);
  } catch (error) {
    if (error instanceof MlpError) return error;
    throw error;
  }
  throw new Error('the graph was accepted');
}

/** Value of the output, and its gradient by the inputs. */
function evaluate(json: unknown): { value: number; gradient: number[] } {
  const { graph, point } = readGraph(json, 'graph.json');
  const values = forward(graph, point);
  return { value: values[graph.output], gradient: [...backward(graph, values)].slice(0, point.length) };
}

const neuron = { inputs: { x: 2, w: 3, b: 1 }, nodes: { y: 'relu(x * w + b)' }, output: 'y' };

describe('readGraph', () => {
  it('makes operations inside an expression nodes of their own', () => {
    const { graph } = readGraph(neuron, 'graph.json');
    expect(graph.nodes.map((node) => node.name)).toEqual(['x', 'w', 'b', 'x * w', 'x * w + b', 'y']);
    expect(evaluate(neuron)).toEqual({ value: 7, gradient: [3, 2, 1] });
  });

  it('numbers inner operations whose text is long', () => {
    const { graph } = readGraph(
      { inputs: { weight: 1 }, nodes: { y: 'exp(weight * weight - weight)' }, output: 'y' },
      'graph.json',
    );
    expect(graph.nodes.map((node) => node.name)).toEqual(['weight', 'weight * weight', 'y.1', 'y']);
  });

  it('takes nodes in any order', () => {
    const shuffled = { inputs: { x: 2 }, nodes: { c: 'a * b', b: 'a + 1', a: 'x * x' }, output: 'c' };
    expect(evaluate(shuffled)).toEqual({ value: 20, gradient: [36] });
  });

  it('lets a node be a second name of another, a constant, or without use', () => {
    const nodes = { a: 'x', two: '2', unused: 'exp(x)', y: 'a * two' };
    expect(evaluate({ inputs: { x: 3 }, nodes, output: 'y' })).toEqual({ value: 6, gradient: [2] });
  });

  it('differentiates an input by itself', () => {
    expect(evaluate({ inputs: { x: 3, w: 1 }, nodes: {}, output: 'x' })).toEqual({
      value: 3,
      gradient: [1, 0],
    });
  });

  it('takes the manual values and a $schema', () => {
    const { manual } = readGraph({ $schema: 'x', ...neuron, manual: { w: 2, x: 3 } }, 'graph.json');
    expect([...manual]).toEqual([
      ['w', { value: 2 }],
      ['x', { value: 3 }],
    ]);
  });

  it('takes names that every JavaScript object has', () => {
    const hostile = {
      inputs: { constructor: 2, toString: 3 },
      nodes: { hasOwnProperty: 'constructor * toString', valueOf: 'square(hasOwnProperty)' },
      output: 'valueOf',
      manual: { constructor: 36 },
    };
    expect(evaluate(hostile)).toEqual({ value: 36, gradient: [36, 24] });
  });

  it.each(['inputs', 'nodes'])('refuses __proto__ among the %s', (section) => {
    const value = section === 'inputs' ? '1' : '"x"';
    const own = JSON.parse(`{ "__proto__": ${value} }`);
    const error = errorOf({ ...neuron, [section]: own });
    expect(error.message).toContain(`graph.json: ${section}: found "__proto__" as a name`);
  });

  it('refuses __proto__ among the manual values and as a key of the file', () => {
    expect(errorOf({ ...neuron, manual: JSON.parse('{ "__proto__": 1 }') }).message).toBe(
      'graph.json: manual: unknown name "__proto__"; expected one of x, w, b, y',
    );
    const file = JSON.parse(`{ "__proto__": {}, ${JSON.stringify(neuron).slice(1)}`);
    expect(errorOf(file).message).toContain('unknown key "__proto__"');
  });

  it.each([
    [[1], 'graph.json: found [1], expected an object with inputs, nodes and output'],
    [null, 'graph.json: found null, expected an object with inputs, nodes and output'],
    [
      { ...neuron, inputs: undefined },
      'graph.json: inputs: missing; expected an object that gives every input a number',
    ],
    [
      { ...neuron, inputs: [] },
      'graph.json: inputs: found [], expected an object that gives every input a number',
    ],
    [{ ...neuron, inputs: {} }, 'graph.json: inputs: found no input, expected at least one'],
    [{ ...neuron, inputs: { x: '2' } }, 'graph.json: inputs.x: found "2", expected a finite number'],
    [{ ...neuron, inputs: { x: 1 / 0 } }, 'graph.json: inputs.x: found Infinity, expected a finite number'],
    [
      { ...neuron, nodes: { y: 3 } },
      'graph.json: nodes.y: found 3, expected an expression such as "x * w + b"',
    ],
    [{ ...neuron, output: 3 }, 'graph.json: output: found 3, expected the name of a node'],
    [
      { ...neuron, manual: { x: null } },
      'graph.json: manual.x: found null, expected a finite number, or a text such as "1/3" or "w1*x0"',
    ],
    [
      { ...neuron, nodes: { x: 'w + b' } },
      'graph.json: nodes.x: found the name of an input, expected an unused name',
    ],
    [{ ...neuron, manual: { q: 1 } }, 'graph.json: manual: unknown name "q"; expected one of x, w, b, y'],
    [
      { ...neuron, nodes: { y: 'x +' } },
      'graph.json: nodes.y: column 4: found the end, expected a number, a name or "("',
    ],
  ])('refuses %j', (json, message) => {
    const error = errorOf(json);
    expect(error.message).toBe(message);
    expect(error.exitCode).toBe(ExitCode.config);
  });

  it.each([
    [
      '{"inputs": {"x": 1},\n "nodes": {"y": "x *"}, "output": "y"}',
      '2:17: nodes.y: column 4: found the end',
    ],
    [
      '{"inputs": {"x": 1},\n "nodes": {"y": "z"}, "output": "y"}',
      '2:17: nodes.y: column 1: unknown name "z"',
    ],
    [
      '{"inputs": {"x": 1, "a b": 2}, "nodes": {"y": "x"}, "output": "y"}',
      '1:21: inputs: found "a b" as a name',
    ],
    [
      '{"inputs": {"x": 1}, "nodes": {"y": "x"}, "output": "y", "manual": {"q": 1}}',
      '1:69: manual: unknown name',
    ],
    [
      '{"inputs": {"x": 0}, "nodes": {"y": "log(x)"}, "output": "y"}',
      '1:37: nodes.y: column 1: log(x) is -Infinity',
    ],
  ])('gives the line and column in the text %s', (text, message) => {
    expect(errorOf(JSON.parse(text), text).message).toContain(`graph.json:${message}`);
  });

  it.each(['1', '', 'a b', 'a-b', '2x', 'a.b'])('refuses %j as a name', (name) => {
    const message = `found ${JSON.stringify(name)} as a name, expected a letter or underscore`;
    expect(errorOf({ ...neuron, inputs: { [name]: 1 } }).message).toContain(`graph.json: inputs: ${message}`);
    expect(errorOf({ ...neuron, nodes: { [name]: 'x' } }).message).toContain(`graph.json: nodes: ${message}`);
  });

  it('names the column of an unknown name, and the nearest known one', () => {
    const error = errorOf({
      inputs: { x0: 1, w0: 2, b0: 3 },
      nodes: { xw0: 'x0 * w0', xwb0: 'xw0 + b0', x1: 'relu(xwbO)' },
      output: 'x1',
    });
    expect(error.message).toBe(
      'graph.json: nodes.x1: column 6: unknown name "xwbO"; expected one of x0, w0, b0, xw0, xwb0, x1',
    );
    expect(error.hint).toBe('did you mean "xwb0"?');
  });

  it('lists a dozen names, not all of a large file', () => {
    const inputs = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`x${i}`, 1]));
    const { message } = errorOf({ inputs, nodes: {}, output: 'zzz' });
    expect(message).toContain('x10, x11, 88 more');
    expect(message).not.toContain('x12');
  });

  it('names the nearest key and the nearest output', () => {
    expect(errorOf({ ...neuron, ouput: 'y' }).hint).toBe('did you mean "output"?');
    expect(errorOf({ ...neuron, nodes: { loss: 'x' }, output: 'los' }).hint).toBe('did you mean "loss"?');
  });

  it('names a cycle', () => {
    const cyclic = { inputs: { x: 1 }, nodes: { a: 'x + c', b: 'a * 2', c: 'b + x' }, output: 'c' };
    expect(errorOf(cyclic).message).toContain('nodes.a: found the cycle a -> c -> b -> a, expected nodes');
    expect(errorOf({ inputs: { x: 1 }, nodes: { a: 'x + a' }, output: 'x' }).message).toContain(
      'the cycle a -> a',
    );
  });

  it.each([
    ['log(x)', -1, 'column 1: log(x) is NaN at x = -1; expected a finite value'],
    ['sqrt(x)', -1, 'column 1: sqrt(x) is NaN at x = -1; expected a finite value'],
    ['x^0.5', -1, 'column 1: x^0.5 is NaN at x = -1; expected a finite value'],
    ['x^-1', 0, 'column 1: x^-1 is Infinity at x = 0; expected a finite value'],
    ['1 / x', 0, 'column 1: 1 / x divides by x = 0; expected another divisor'],
    ['2 + x / (x - x)', 3, 'column 5: x / (x - x) divides by x - x = 0; expected another divisor'],
    ['x / 0', 3, 'column 1: x / 0 divides by 0; expected another divisor'],
    ['exp(x)', 1000, 'column 1: exp(x) is Infinity at x = 1000; expected a finite value'],
    ['2 + log(x - x)', 1, 'column 5: log(x - x) is -Infinity at x - x = 0; expected a finite value'],
    [
      'sqrt(x)',
      0,
      'column 1: the derivative of sqrt(x) is not finite at x = 0; expected a finite derivative',
    ],
    ['x^0.5', 0, 'column 1: the derivative of x^0.5 is not finite at x = 0; expected a finite derivative'],
  ])('refuses %s at %d, where it is not finite', (source, x, message) => {
    const error = errorOf({ inputs: { x }, nodes: { y: source }, output: 'y' });
    expect(error.message).toBe(`graph.json: nodes.y: ${message}`);
    expect(error.exitCode).toBe(ExitCode.config);
  });

  it('orders a chain of thousands of nodes written back to front', () => {
    const length = 5000;
    const chain = Array.from({ length }, (_, i) => [
      `n${length - i}`,
      i === length - 1 ? 'x' : `n${length - i - 1} + 1`,
    ]);
    const result = evaluate({ inputs: { x: 0 }, nodes: Object.fromEntries(chain), output: `n${length}` });
    expect(result).toEqual({ value: length - 1, gradient: [1] });
  });

  it('refuses more than ten thousand operations', () => {
    const chain = Array.from({ length: 10_001 }, (_, i) => [`n${i}`, 'square(x)']);
    const { message } = errorOf({ inputs: { x: 0 }, nodes: Object.fromEntries(chain), output: 'x' });
    expect(message).toContain('found more than 10000 inputs and operations');
  });
});
