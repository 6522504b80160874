import { describe, expect, it } from 'vitest';
import residualRelu from '../../configs/gradcheck/residual-relu.json' with { type: 'json' };
import { derive, MAX_PATHS, type TotalDerivative } from '../../src/gradcheck/derivation.js';
import { readGraph } from '../../src/gradcheck/graphFile.js';

function deriveJson(json: unknown) {
  const { graph, point } = readGraph(json, 'graph.json');
  return derive(graph, point);
}

function derivationOf(json: unknown, input: string): TotalDerivative {
  const found = deriveJson(json).derivatives.find(({ by }) => by === input);
  if (!found) throw new Error(`no input ${input}`);
  return found;
}

const symbols = ({ paths }: TotalDerivative) =>
  paths.map(({ factors }) => factors.map(({ symbol }) => symbol));

describe('derive', () => {
  it('computes the values of the residual graph', () => {
    const values = Object.fromEntries(deriveJson(residualRelu).nodes.map(({ name, value }) => [name, value]));
    const expected = { xw0: 0.3, xwb0: 0.4, x1: 0.4, xw1: -0.08, y1: -0.38, yx: 0.62, z: 0.62 };
    for (const [name, value] of Object.entries(expected)) expect(values[name]).toBeCloseTo(value, 14);
  });

  it.each([
    ['w0', ['1', '1', '1', 'w1', '1', '1', 'x0'], -0.2],
    ['b0', ['1', '1', '1', 'w1', '1', '1'], -0.2],
    ['w1', ['1', '1', '1', 'x1'], 0.4],
    ['b1', ['1', '1', '1'], 1],
  ])('writes ∂z/∂%s as a product, the output first', (input, product, gradient) => {
    const derivation = derivationOf(residualRelu, input);
    expect(symbols(derivation)).toEqual([product]);
    expect(derivation.paths[0].value).toBeCloseTo(gradient, 14);
    expect(derivation.gradient).toBeCloseTo(gradient, 14);
    expect(derivation.agrees).toBe(true);
  });

  it('names what each factor differentiates by what', () => {
    const [path] = derivationOf(residualRelu, 'w0').paths;
    expect(path.factors.map(({ node, operand }) => `${node}/${operand}`)).toEqual([
      'z/yx',
      'yx/y1',
      'y1/xw1',
      'xw1/x1',
      'x1/xwb0',
      'xwb0/xw0',
      'xw0/w0',
    ]);
    expect(path.factors.map(({ value }) => value)).toEqual([1, 1, 1, -0.2, 1, 1, 1]);
  });

  it('adds the path around the residual block', () => {
    const derivation = derivationOf(residualRelu, 'x0');
    expect(symbols(derivation)).toEqual([
      ['1', '1', '1', 'w1', '1', '1', 'w0'],
      ['1', '1'],
    ]);
    expect(derivation.gradient).toBeCloseTo(0.94, 14);
  });

  it('writes a ReLU that is off as 0', () => {
    const derivation = derivationOf({ inputs: { x: -1 }, nodes: { y: 'relu(3 * x)' }, output: 'y' }, 'x');
    expect(symbols(derivation)).toEqual([['0', '3']]);
    expect(derivation.gradient).toBe(0);
  });

  it('tells the two operands of x * x apart', () => {
    const derivation = derivationOf({ inputs: { x: 3 }, nodes: { y: 'x * x' }, output: 'y' }, 'x');
    expect(derivation.paths.map(({ factors }) => factors[0].position)).toEqual(['left', 'right']);
    expect(derivation.gradient).toBe(6);
  });

  it('finds no path from an input that the output does not use', () => {
    const graph = { inputs: { x: 1, u: 2 }, nodes: { y: 'exp(x)', dead: 'x * u' }, output: 'y' };
    expect(derivationOf(graph, 'u')).toEqual({
      by: 'u',
      gradient: 0,
      paths: [],
      pathCount: 0n,
      agrees: true,
    });
    expect(derivationOf(graph, 'x').pathCount).toBe(1n);
  });

  it('leaves constants out, for nothing is differentiated by them', () => {
    const { localDerivatives, nodes } = deriveJson({
      inputs: { x: 1 },
      nodes: { y: '2 * x + 3' },
      output: 'y',
    });
    expect(localDerivatives.map(({ node, operand }) => `${node}/${operand}`)).toEqual(['2 * x/x', 'y/2 * x']);
    expect(nodes.map(({ name }) => name)).toEqual(['x', '2 * x', 'y']);
  });

  it('counts 2⁶⁰ paths exactly, lists the first 64, and takes the gradient from backpropagation', () => {
    const levels = 60;
    const nodes = Object.fromEntries(
      Array.from({ length: levels }, (_, i) => [`x${i + 1}`, `x${i} + x${i}`]),
    );
    const derivation = derivationOf({ inputs: { x0: 1 }, nodes, output: `x${levels}` }, 'x0');
    expect(derivation.pathCount).toBe(2n ** 60n);
    expect(derivation.paths).toHaveLength(MAX_PATHS);
    expect(derivation.gradient).toBe(2 ** 60);
    expect(derivation.agrees).toBeUndefined();
  });
});
