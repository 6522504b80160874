import { describe, expect, it } from 'vitest';
import residualRelu from '../../configs/gradcheck/residual-relu.json' with { type: 'json' };
import { renderGraphCheck, renderSummary, renderTable } from '../../src/cli/gradcheckText.js';
import { explainSoftmax } from '../../src/cli/softmaxText.js';
import { type Check, checkGraph } from '../../src/gradcheck/check.js';
import { readGraph } from '../../src/gradcheck/graphFile.js';
import { plainStyle } from '../../src/report/style.js';

const DISPLAY = { width: 80, style: plainStyle };

function render(json: unknown): string {
  const { check, derivation } = checkGraph(readGraph(json, 'graph.json'), 'graph.json');
  return renderGraphCheck(check, derivation, DISPLAY);
}

/** A check with round numbers, so that the text does not depend on rounding. */
const check: Check = {
  name: 'net',
  passed: false,
  maxRelativeError: 2.5e-12,
  parameters: [
    {
      name: 'w',
      manual: 0.1 + 0.2,
      limit: 6e-5,
      analytic: 0.3,
      numeric: 0.3,
      relativeError: 2.5e-12,
      passed: true,
    },
    {
      name: 'bias',
      manual: 0.5,
      manualText: '1/2',
      limit: 0.001275,
      analytic: -12.25,
      numeric: -12.25,
      relativeError: 0,
      passed: false,
      problem: 'manual 0.5, expected -12.25',
    },
    { name: 'x', analytic: 0, numeric: 0.5, relativeError: 1, passed: true, kink: true as const },
  ],
};

describe('renderGraphCheck', () => {
  it('shows the residual graph as it is derived by hand', () => {
    const lines = render(residualRelu).split('\n');
    expect(lines).toContain('  xwb0 = xw0 + b0   = 0.4');
    expect(lines).toContain('  z    = relu(yx)   = 0.62');
    expect(lines).toContain('  ∂xw0/∂w0   = x0 = 1');
    expect(lines).toContain('  ∂z/∂yx     = 1');
    const start = lines.findIndex((line) => line.startsWith('  ∂z/∂w0 ='));
    expect(lines.slice(start, start + 4)).toEqual([
      '  ∂z/∂w0 = ∂z/∂yx · ∂yx/∂y1 · ∂y1/∂xw1 · ∂xw1/∂x1 · ∂x1/∂xwb0 · ∂xwb0/∂xw0 · ∂xw0/∂w0',
      '         = 1·1·1·w1·1·1·x0',
      '         = 1·1·1·(-0.2)·1·1·1',
      '         = -0.2',
    ]);
  });

  it('writes a sum over paths as a sum', () => {
    const text = render({ inputs: { x: 3 }, nodes: { y: 'x * x' }, output: 'y' });
    expect(text).toContain(
      [
        '  ∂y/∂x = ∂y/∂x(left)',
        '        + ∂y/∂x(right)',
        '        = x',
        '        + x',
        '        = 3',
        '        + 3',
        '        = 3 + 3',
        '        = 6',
      ].join('\n'),
    );
  });

  it('sets factors that are more than a name in parentheses', () => {
    const text = render({ inputs: { x: 0.5, w: 2 }, nodes: { y: 'tanh(x * w) / w' }, output: 'y' });
    expect(text).toContain('= (1/w)·(1 - tanh(x * w)²)·w');
    expect(text).toContain('∂tanh(x * w)/∂(x * w) = 1 - tanh(x * w)²');
  });

  it('says that no path leads to the output', () => {
    const text = render({ inputs: { x: 1, u: 2 }, nodes: { y: 'exp(x)' }, output: 'y' });
    expect(text).toContain('  ∂y/∂u = 0, since no path leads from u to y');
  });

  it('says how many paths there are where it does not list them all', () => {
    const nodes = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`x${i + 1}`, `x${i} + x${i}`]));
    const text = render({ inputs: { x0: 1 }, nodes, output: 'x8' });
    expect(text).toContain('… and 192 more paths, 256 in all');
    expect(text).toContain('= 256, by backpropagation');
  });

  it('has no trailing blanks and no escape codes', () => {
    const text = render(residualRelu);
    expect(text.split('\n').filter((line) => line !== line.trimEnd())).toEqual([]);
    expect(text).not.toContain('\u001b');
  });
});

describe('renderTable', () => {
  it('aligns the columns, marks every row, and names what is wrong', () => {
    expect(renderTable(check, DISPLAY).split('\n')).toEqual([
      'parameter     manual     limit  analytic  numeric  relative error',
      '─'.repeat(72),
      'w                0.3  ±0.00006       0.3      0.3         2.5e-12  ok',
      'bias       1/2 = 0.5   ±0.0013    -12.25   -12.25               0  wrong',
      'x                                      0      0.5          1.0e+0  kink',
      'bias: manual 0.5, expected -12.25',
      'kink: the ±h interval crosses a kink, so analytic and numeric may differ',
    ]);
  });

  it('shows decimals as they are written, and values that are open', () => {
    const graph = { inputs: { x: 3 }, nodes: { y: 'log(x)', z: '2 * y' }, output: 'z' };
    const page = render({ ...graph, manual: { x: '0.67', y: '?' } });
    expect(page).toMatch(/ x +0\.67 +±0\.005 +0\.6666666667 .* ok\n/);
    expect(page).toMatch(/ y +\? +2 +2 .* wrong\n/);
    expect(page).toContain('y: no value by hand yet');
    expect(page).toContain('∂z/∂y = 2\n');
  });

  it('names a formula that is right at these inputs alone', () => {
    const page = render({ ...residualRelu, manual: { w0: 'w1' } });
    expect(page).toMatch(/ w0 +w1 = -0\.2 +±0\.00004 .* ok\n/);
    expect(page).toContain('  w0: w1 is right at these inputs, but not at others\n');
  });

  it('leaves the manual column out where nothing was found by hand', () => {
    const [row] = check.parameters.slice(2);
    expect(renderTable({ ...check, parameters: [row] }, DISPLAY)).not.toContain('manual');
  });

  it('colours by the style it is given', () => {
    const style = { ...plainStyle, bad: (text: string) => `<${text}>`, good: (text: string) => `[${text}]` };
    const text = renderTable(check, { ...DISPLAY, style });
    expect(text).toContain('[ok]');
    expect(text).toContain('<wrong>');
    expect(text).toContain('<bias: manual 0.5, expected -12.25>');
  });
});

describe('renderSummary', () => {
  it('counts derivatives, kinks and mistakes', () => {
    expect(renderSummary(check, DISPLAY)).toBe(
      'wrong  net: 3 derivatives, largest relative error 2.5e-12, 1 at a kink, 1 wrong',
    );
  });
});

describe('explainSoftmax', () => {
  const lines = explainSoftmax(plainStyle).split('\n');

  it('derives both cases of the Jacobian, each with its numbers', () => {
    // e/(e + e² + √e) = 0.231224, e²/(e + e² + √e) = 0.628532
    expect(lines).toContain('    ∂P_i/∂h_i = (exp(h_i)·S - exp(h_i)·exp(h_i)) / S² = P_i·(1 - P_i)');
    expect(lines).toContain('    ∂P_1/∂h_1 = 0.2312·(1 - 0.2312) = 0.1778');
    expect(lines).toContain('    ∂P_j/∂h_i = (0·S - exp(h_j)·exp(h_i)) / S² = -P_i·P_j');
    expect(lines).toContain('    ∂P_2/∂h_1 = -0.2312·0.6285 = -0.1453');
    expect(lines).toContain('  ∂L/∂h   = P - y = (0.2312, -0.3715, 0.1402)');
  });

  it('fits a terminal of 80 columns', () => {
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(80);
  });
});
