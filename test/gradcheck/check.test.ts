import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import residualRelu from '../../configs/gradcheck/residual-relu.json' with { type: 'json' };
import { checkGraph, checkOf, checkParameter, GRADIENT_TOLERANCE } from '../../src/gradcheck/check.js';
import { readGraph } from '../../src/gradcheck/graphFile.js';
import { numericDerivative, relativeError } from '../../src/gradcheck/numeric.js';

function check(json: unknown) {
  return checkGraph(readGraph(json, 'graph.json'), 'graph').check;
}

describe('checkGraph', () => {
  it('passes the residual graph with its derivatives by hand', () => {
    const result = check(residualRelu);
    expect(result.passed).toBe(true);
    expect(result.maxRelativeError).toBeLessThan(1e-10);
    expect(result.parameters.map(({ name, manual }) => [name, manual])).toEqual([
      ['x0', undefined],
      ['w0', -0.2],
      ['b0', -0.2],
      ['w1', 0.4],
      ['b1', 1],
    ]);
    const analytic = result.parameters.map((parameter) => parameter.analytic);
    expect(analytic).toBeAllclose([0.94, -0.2, -0.2, 0.4, 1], { relative: 1e-14 });
    expect(result.parameters.map(({ numeric }) => numeric)).toBeAllclose(analytic, { relative: 1e-10 });
  });

  it('names a wrong manual value and what was expected, and leaves the others right', () => {
    const result = check({ ...residualRelu, manual: { ...residualRelu.manual, w1: 0.5 } });
    expect(result.passed).toBe(false);
    expect(result.parameters.filter(({ passed }) => !passed)).toMatchObject([
      { name: 'w1', manual: 0.5, problem: 'manual 0.5, expected 0.4' },
    ]);
  });

  it('catches a manual value with the wrong sign, and one of 0', () => {
    expect(check({ ...residualRelu, manual: { w0: 0.2 } }).passed).toBe(false);
    expect(check({ ...residualRelu, manual: { w0: 0 } }).passed).toBe(false);
  });

  it('takes manual values rounded to five digits, not to two', () => {
    const third = { inputs: { x: 3 }, nodes: { y: 'log(x)' }, output: 'y' };
    expect(check({ ...third, manual: { x: 0.33333 } }).passed).toBe(true);
    expect(check({ ...third, manual: { x: 0.33 } }).passed).toBe(false);
  });

  it('grades intermediate nodes as it grades inputs', () => {
    const result = check({ ...residualRelu, manual: { y1: 1, x1: -0.2, xwb0: 0.2, z: 1 } });
    expect(result.parameters.map(({ name, analytic, passed }) => [name, analytic, passed]).slice(5)).toEqual([
      ['xwb0', -0.2, false],
      ['x1', -0.2, true],
      ['y1', 1, true],
      ['z', 1, true],
    ]);
    const numeric = result.parameters.slice(5).map((parameter) => parameter.numeric);
    expect(numeric).toBeAllclose([-0.2, -0.2, 1, 1], { relative: 1e-10 });
  });

  it('grades a node that is a constant, or that the output does not use', () => {
    const nodes = { two: '2', dead: 'x + 1', y: 'two * x' };
    const { passed, parameters } = check({
      inputs: { x: 3 },
      nodes,
      output: 'y',
      manual: { two: 'x', dead: 0 },
    });
    expect(passed).toBe(true);
    expect(parameters.map(({ name, analytic }) => [name, analytic])).toEqual([
      ['x', 2],
      ['two', 3],
      ['dead', 0],
    ]);
  });

  const third = { inputs: { x: 3 }, nodes: { y: '-log(x)' }, output: 'y' };
  const graded = (x: number | string, tolerance?: number) =>
    checkGraph(readGraph({ ...third, manual: { x } }, 'graph.json'), 'graph', tolerance).check.parameters[0];

  it.each([
    ['-1/3', true],
    ['-1/x', true],
    ['-x^-1', true],
    ['1/y', false],
    ['-0.333', true],
    ['-0.3333333', true],
    ['-.33', true],
    ['-3.33e-1', true],
    ['-0.334', false],
    ['-0.3334', false],
    ['-0.332', false],
    ['0.333', false],
    ['-0.33333333333', true],
    ['-0.33333333334', false],
    ['+0', true],
  ])('grades the text %s by its digits, or as a formula: %s', (text, passed) => {
    expect(graded(text)).toMatchObject({ passed, manualText: text });
  });

  it('takes either neighbour of a value half way between them', () => {
    const half = { inputs: { x: 0.3335 }, nodes: { y: 'x * x / 2' }, output: 'y' };
    for (const x of ['0.333', '0.334']) expect(check({ ...half, manual: { x } }).passed).toBe(true);
    for (const x of ['0.332', '0.335']) expect(check({ ...half, manual: { x } }).passed).toBe(false);
  });

  it('says how far each value may be from the derivative', () => {
    expect(graded('-0.333').limit).toBe(0.0005);
    expect(graded('-3e2').limit).toBe(50);
    expect(graded(-0.33).limit).toBeCloseTo(1e-4 * (0.33 + 1 / 3), 12);
    expect(graded('-1/3', 0.01).limit).toBeCloseTo(0.01 * (2 / 3), 12);
    expect(graded(-0.33, 0.01).passed).toBe(true);
  });

  it('fails while a value is open, and shows no number for it', () => {
    const open = graded('?');
    expect(open).toMatchObject({ passed: false, manualText: '?', problem: 'no value by hand yet' });
    expect(open).not.toHaveProperty('manual');
    expect(open).not.toHaveProperty('limit');
  });

  it('says which formulas are right at these inputs alone', () => {
    const manual = {
      w0: 'w1',
      b0: 'w1 * x0',
      w1: 'x1',
      b1: '1',
      y1: 'x0',
      x1: '1*1*(-0.2)',
      xw1: 'y1 / (-0.38)',
    };
    const { passed, parameters } = check({ ...residualRelu, manual });
    expect(passed).toBe(true);
    // x0 is 1, so w1 and w1·x0 are equal here; a formula of numbers alone claims nothing elsewhere.
    expect(parameters.flatMap(({ name, onlyHere }) => (onlyHere ? [name] : []))).toEqual([
      'w0',
      'b0',
      'xw1',
      'y1',
    ]);
  });

  it('takes formulas with rounded numbers for what they are', () => {
    const cube = { inputs: { x: 2 }, nodes: { y: 'x^3 / 3 + x / 3' }, output: 'y' };
    for (const x of ['x^2 + 1/3', 'x^2 + 0.3333', 'x*x + 0.33333']) {
      const { passed, parameters } = check({ ...cube, manual: { x } });
      expect([x, passed, parameters[0].onlyHere]).toEqual([x, true, undefined]);
    }
  });

  it('leaves undecided what holds at other inputs where a kink is near', () => {
    const near = { inputs: { x: 1e-4 }, nodes: { y: 'relu(x) + x' }, output: 'y', manual: { x: '2 + 0*x' } };
    expect(check(near).parameters[0].onlyHere).toBeUndefined();
  });

  it('names a formula that is wrong with its value', () => {
    expect(graded('2/x').problem).toBe('manual 2/x = 0.6666666667, expected -0.3333333333');
    expect(graded('-0.34').problem).toBe('manual -0.34, expected -0.3333333333');
  });

  it('grades no value that is not there', () => {
    const { passed, parameters } = check({ ...residualRelu, manual: {} });
    expect(passed).toBe(true);
    expect(parameters.every((parameter) => !('manual' in parameter))).toBe(true);
  });

  const atKink = { inputs: { x: 0, w: 2 }, nodes: { y: 'relu(x) + w * w' }, output: 'y' };

  it('reports a ReLU at exactly 0 as a kink of its own parameter alone, and passes', () => {
    const { passed, maxRelativeError, parameters } = check(atKink);
    expect(passed).toBe(true);
    expect(parameters[0]).toMatchObject({ name: 'x', kink: true, analytic: 0, passed: true });
    expect(parameters[1].kink).toBeUndefined();
    expect(maxRelativeError).toBeLessThan(1e-10);
  });

  it('reports a ReLU that changes side within the interval', () => {
    const { passed, parameters } = check({ ...atKink, inputs: { x: 1e-6, w: 2 } });
    expect(passed).toBe(true);
    expect(parameters[0]).toMatchObject({ kink: true, analytic: 1 });
  });

  it.each([
    'relu(x)',
    'leaky_relu(x)',
    'max(x, 0)',
    'max(-x, x * 2)',
    'min(x, 0)',
    'min(-x, x * 2)',
    'abs(x)',
    '(x + 1e-6)^0.5',
    '(x + 1e-6)^-3',
    '1 / (x + 1e-6)',
    'sqrt(x + 1e-6)',
    'log(x + 1e-6)',
  ])('knows the kink of %s at 0', (y) => {
    expect(check({ inputs: { x: 0 }, nodes: { y }, output: 'y' }).parameters[0]).toMatchObject({
      kink: true,
      passed: true,
    });
  });

  it('does not mind a kink that the output does not use', () => {
    const { parameters } = check({ inputs: { x: 0 }, nodes: { dead: 'relu(x)', y: 'exp(x)' }, output: 'y' });
    expect(parameters[0].kink).toBeUndefined();
  });

  it('does not mind equal arguments of max that move together', () => {
    const { parameters } = check({ inputs: { x: 2 }, nodes: { y: 'max(x, x)' }, output: 'y' });
    expect(parameters[0]).toMatchObject({ analytic: 1, passed: true });
    expect(parameters[0].kink).toBeUndefined();
  });

  it('takes any subgradient of abs at 0', () => {
    const corner = { inputs: { x: 0 }, nodes: { y: 'abs(x)' }, output: 'y' };
    for (const x of [-1, '0', '1/2', 1]) expect(check({ ...corner, manual: { x } }).passed).toBe(true);
    expect(check({ ...corner, manual: { x: -1.1 } }).passed).toBe(false);
  });

  it('takes any subgradient as manual value at a kink, and nothing else', () => {
    for (const x of [0, 0.5, 1]) expect(check({ ...atKink, manual: { x } }).passed).toBe(true);
    const { passed, parameters } = check({ ...atKink, manual: { x: 1.5 } });
    expect(passed).toBe(false);
    expect(parameters[0].problem).toBe('manual 1.5, expected a value from 0 to 1');
  });
});

describe('checkParameter', () => {
  const numeric = numericDerivative((x) => ({ value: x * x }), 3);

  it('passes where analytic and numeric agree, and says what it saw where they do not', () => {
    expect(checkParameter('w', 6, numeric)).toMatchObject({ name: 'w', analytic: 6, passed: true });
    expect(checkParameter('w', 6.001, numeric)).toMatchObject({
      passed: false,
      problem: 'analytic 6.001, numeric 6',
    });
  });

  it('never passes a derivative that is not a number', () => {
    expect(checkParameter('w', Number.NaN, numeric).passed).toBe(false);
  });

  it('passes a gradient below what rounding lets the differences tell', () => {
    const flat = numericDerivative((x) => ({ value: 1e6 + 1e-9 * x }), 1);
    expect(checkParameter('w', 1e-9, flat).passed).toBe(true);
  });
});

describe('checkOf', () => {
  it('takes the largest error of the parameters without a kink', () => {
    const parameter = { name: 'w', analytic: 1, numeric: 1, passed: true };
    const parameters = [
      { ...parameter, relativeError: 1e-9 },
      { ...parameter, relativeError: 1e-8 },
      { ...parameter, relativeError: 1, kink: true as const },
    ];
    expect(checkOf('net', parameters)).toEqual({
      name: 'net',
      passed: true,
      maxRelativeError: 1e-8,
      parameters,
    });
  });
});

describe('random graphs', () => {
  /** A node from two earlier ones: every operation, kept where it is finite and away from poles. */
  const forms: ((a: string, b: string) => string)[] = [
    (a, b) => `${a} + ${b}`,
    (a, b) => `${a} - ${b}`,
    (a, b) => `${a} * ${b}`,
    (a, b) => `-${a} * (0.5 - ${b})`,
    (a, b) => `${a} / (2 + square(${b}))`,
    (a) => `relu(${a})`,
    (a) => `leaky_relu(${a}, 0.3)`,
    (a, b) => `tanh(${a} + ${b})`,
    (a, b) => `sigmoid(${a} * ${b})`,
    (a) => `exp(tanh(${a}))`,
    (a, b) => `log(1 + square(${a} - ${b}))`,
    (a) => `sqrt(1 + square(${a}))`,
    (a, b) => `max(${a}, ${b})`,
    (a, b) => `min(${a}, ${b})`,
    (a) => `abs(${a})`,
    (a) => `sin(${a})`,
    (a, b) => `cos(${a} - ${b})`,
    (a) => `gelu(tanh(${a}))`,
    (a) => `silu(sin(${a}))`,
    (a) => `softplus(cos(${a}))`,
    (a) => `tanh(${a})^3`,
    (a) => `(1.5 + sin(${a}))^-0.5`,
  ];
  const node = fc.record({ form: fc.nat(forms.length - 1), a: fc.nat(), b: fc.nat() });
  const inputValue = fc.integer({ min: -2000, max: 2000 }).map((i) => i / 1000 + 1 / 3000);

  const graphs = fc
    .record({
      inputs: fc.array(inputValue, { minLength: 3, maxLength: 3 }),
      nodes: fc.array(node, { minLength: 1, maxLength: 8 }),
    })
    .map(({ inputs, nodes }) => {
      const names = inputs.map((_, i) => `x${i}`);
      const expressions = nodes.map(({ form, a, b }, i) => {
        const expression = forms[form](names[a % names.length], names[b % names.length]);
        names.push(`n${i}`);
        return [`n${i}`, expression];
      });
      return {
        inputs: Object.fromEntries(inputs.map((value, i) => [`x${i}`, value])),
        nodes: Object.fromEntries(expressions),
        output: names[names.length - 1],
      };
    });

  it('have one gradient by backpropagation, by differences and by the sum over all paths', () => {
    let kinks = 0;
    let compared = 0;
    fc.assert(
      fc.property(graphs, (json) => {
        const { check, derivation } = checkGraph(readGraph(json, 'graph.json'), 'graph');
        for (const { name, kink, analytic, numeric, passed, problem } of check.parameters) {
          expect(passed, `${name}: ${problem}`).toBe(true);
          if (kink) {
            kinks++;
            continue;
          }
          compared++;
          // Where terms cancel, a gradient of 0 is compared with the rounding of the differences.
          const isTiny = Math.abs(analytic) + Math.abs(numeric) < 1e-5;
          if (isTiny) expect(Math.abs(analytic - numeric)).toBeLessThan(1e-12);
          else expect(relativeError(analytic, numeric)).toBeLessThan(GRADIENT_TOLERANCE);
        }
        for (const { agrees, pathCount } of derivation.derivatives) {
          expect(agrees).toBe(pathCount <= 64n ? true : undefined);
        }
      }),
      { numRuns: 300 },
    );
    expect(compared).toBeGreaterThan(20 * kinks);
  });
});
