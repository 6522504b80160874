import { describe, expect, it } from 'vitest';
import residualRelu from '../../configs/gradcheck/residual-relu.json' with { type: 'json' };
import { latexDocument } from '../../src/cli/gradcheckLatex.js';
import { checkGraph } from '../../src/gradcheck/check.js';
import { makeExercise } from '../../src/gradcheck/exercise.js';
import { readGraph } from '../../src/gradcheck/graphFile.js';
import { latex, latexName } from '../../src/gradcheck/latex.js';

function documentOf(json: unknown, name = 'graph.json'): string {
  const graph = readGraph(json, name);
  return latexDocument(graph, checkGraph(graph, name).check);
}

/** Fails where an environment, a brace or a \left is not closed in its order. */
function expectBalanced(text: string): void {
  const open: string[] = [];
  const pattern = /\\begin\{(\w+\*?)\}|\\end\{(\w+\*?)\}|\\left(?![a-z])|\\right(?![a-z])|\\[{}]|[{}$]/g;
  for (const [token, begun, ended] of text.replace(/^%.*$/gm, '').matchAll(pattern)) {
    if (begun !== undefined) open.push(begun);
    else if (ended !== undefined) expect(open.pop(), text).toBe(ended);
    else if (token === '{' || token === '\\left') open.push(token);
    else if (token === '}') expect(open.pop(), text).toBe('{');
    else if (token === '\\right') expect(open.pop(), text).toBe('\\left');
    else if (token === '$' && open.at(-1) === '$') open.pop();
    else if (token === '$') open.push('$');
  }
  expect(open, text).toEqual([]);
}

describe('latexDocument', () => {
  it('is a complete document of the derivation', () => {
    const lines = documentOf(residualRelu).split('\n');
    expect(lines.slice(1, 5)).toEqual([
      '\\documentclass{article}',
      '\\usepackage{amsmath}',
      '\\allowdisplaybreaks',
      '\\begin{document}',
    ]);
    expect(lines).toContain('  x_{1} &= \\operatorname{relu}\\left(\\mathit{xwb}_{0}\\right) = 0.4 \\\\');
    expect(lines).toContain('  \\frac{\\partial \\mathit{xw}_{1}}{\\partial x_{1}} &= w_{1} = -0.2 \\\\');
    expect(lines).toContain(
      '  &= 1 \\cdot 1 \\cdot 1 \\cdot \\left(-0.2\\right) \\cdot 1 \\cdot 1 \\cdot 1 \\\\',
    );
    expect(lines).toContain(
      '  &\\quad + \\frac{\\partial z}{\\partial \\mathit{yx}} \\cdot \\frac{\\partial \\mathit{yx}}{\\partial x_{0}} \\\\',
    );
    expect(lines.at(-1)).toBe('\\end{document}');
  });

  it('has the values by hand beside those computed', () => {
    const manual = { w0: 'w1*x0', b0: '-0.20', w1: 0.3, b1: '?', y1: '1/z^2' };
    const table = documentOf({ ...residualRelu, manual })
      .split('\\hline\n')[1]
      .split('\n');
    expect(table.slice(0, 6)).toEqual([
      '  $\\partial z / \\partial x_{0}$ &  &  & $0.94$ &  \\\\',
      '  $\\partial z / \\partial w_{0}$ & $w_{1} \\cdot x_{0} = -0.2$ & $\\pm 0.00004$ & $-0.2$ & right \\\\',
      '  $\\partial z / \\partial b_{0}$ & $-0.20$ & $\\pm 0.005$ & $-0.2$ & right \\\\',
      '  $\\partial z / \\partial w_{1}$ & $0.3$ & $\\pm 0.00007$ & $0.4$ & wrong \\\\',
      '  $\\partial z / \\partial b_{1}$ & ? &  & $1$ & wrong \\\\',
      '  $\\partial z / \\partial y_{1}$ & $\\frac{1}{z^{2}} = 2.601456816$ & $\\pm 0.00036$ & $1$ & wrong \\\\',
    ]);
  });

  it('breaks long products, and says which paths are left out or missing', () => {
    const nodes = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`node${i + 1}`, `2 * node${i}`]));
    const long = documentOf({ inputs: { node0: 1 }, nodes, output: 'node30' });
    for (const line of long.split('\n')) expect(line.length).toBeLessThan(700);
    const doubled = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`x${i + 1}`, `x${i} + x${i}`]));
    const many = documentOf({ inputs: { x0: 1, u: 1 }, nodes: doubled, output: 'x8' });
    expect(many).toContain('\\text{(192 more paths, 256 in all)}');
    expect(many).toContain('&= 256 \\quad \\text{(by backpropagation)}');
    expect(many).toContain('\\text{(no path from $u$ to $x_{8}$)}');
    expect(many).toContain('\\right|_{\\text{left}}');
    for (const text of [long, many]) expectBalanced(text);
  });

  it('closes what it opens in every expression, for any name', () => {
    const graph = {
      inputs: { θ: 1.5, a_b_c: 0.5, _: 2, w1out: -0.25, épée: 3 },
      nodes: {
        h: '-(θ - a_b_c)^2 / (-_ * (w1out + 2e-7))',
        alpha_1: 'leaky_relu(abs(h) - max(h, θ), 0.2) * -h',
        L: 'gelu(alpha_1) + sqrt(square(h)) * exp(-normal_cdf(θ^-0.5)) * min(épée, log(_)) + tanh(h)^3',
      },
      output: 'L',
      manual: { θ: '-(θ - a_b_c)^2 / 3', h: 'abs(h)' },
    };
    const text = documentOf(graph, 'a\n\\input{secret}_%.json');
    expectBalanced(text);
    expect(text.split('\n')[0]).toBe('% a\\n\\input{secret}_%.json');
    expect(text).toContain('\\left|h\\right|');
    expect(text).toContain('\\operatorname{leaky\\_relu}_{0.2}');
    for (let seed = 0; seed < 20; seed++) expectBalanced(documentOf(makeExercise(seed, true)));
  });
});

describe('latex', () => {
  it.each([
    ['x0', 'x_{0}'],
    ['x_1', 'x_{1}'],
    ['w12', 'w_{12}'],
    ['theta', '\\theta'],
    ['λ2', '\\lambda_{2}'],
    ['sigma_y', '\\sigma_{y}'],
    ['loss', '\\mathit{loss}'],
    ['w_out_2', 'w_{\\mathit{out},2}'],
    ['a1b', 'a_{1,b}'],
    ['_', '\\_'],
    ['é', '\\text{é}'],
    ['x²', 'x_{\\text{²}}'],
  ])('writes the name %s as %s', (name, expected) => {
    expect(latexName(name)).toBe(expected);
  });

  it.each([
    ['a / (b + 1)', '\\frac{a}{b + 1}'],
    ['a - (b - c)', 'a - \\left(b - c\\right)'],
    ['(a + b) * c', '\\left(a + b\\right) \\cdot c'],
    ['a * -b', 'a \\cdot \\left(-b\\right)'],
    ['(a / b)^2', '\\left(\\frac{a}{b}\\right)^{2}'],
    ['x1^0.5', 'x_{1}^{0.5}'],
    ['tanh(x)^2', '\\left(\\tanh\\left(x\\right)\\right)^{2}'],
    ['square(x + 1)', '\\left(x + 1\\right)^{2}'],
    ['2.5e-7 * x', '2.5 \\cdot 10^{-7} \\cdot x'],
    ['normal_pdf(x)', '\\varphi\\left(x\\right)'],
  ])('writes %s', (source, expected) => {
    expect(latex.expression(source)).toBe(expected);
  });
});
