/**
 * Three derivatives and the verdict: manual (from the file or a closed form), analytic
 * (backpropagation) and numeric (differences). `gradcheck --json` prints these types.
 */

import { formatNumber } from '../text.js';
import { type Derivation, derive } from './derivation.js';
import { countPaths, forward, type Graph } from './graph.js';
import type { CheckedGraph } from './graphFile.js';
import { type NumericDerivative, numericGradient, relativeError, type Sample } from './numeric.js';

/** Largest relative error between analytic and numeric derivatives of a smooth function. */
export const GRADIENT_TOLERANCE = 1e-7;

/** The same for values by hand: rounding to five significant digits always stays within it. */
const MANUAL_TOLERANCE = 1e-4;

export interface CheckedParameter {
  name: string;
  manual?: number;
  analytic: number;
  numeric: number;
  /** Between analytic and numeric. */
  relativeError: number;
  /** Set if the interval of the differences crosses a kink: analytic and numeric may then differ. */
  kink?: true;
  passed: boolean;
  /** What is wrong: "manual 0.5, expected 0.4". Set if it did not pass. */
  problem?: string;
}

export interface Check {
  name: string;
  passed: boolean;
  /** Over the parameters without a kink; 0 if there are none. */
  maxRelativeError: number;
  parameters: CheckedParameter[];
}

export interface GradcheckResult {
  passed: boolean;
  checks: Check[];
}

export interface Manual {
  readonly value: number;
  readonly tolerance: number;
}

/**
 * Analytic and numeric must agree within GRADIENT_TOLERANCE or the rounding of the differences (a
 * loss of 1 can't resolve a gradient of 1e−9). At a kink, manual may lie between the two slopes.
 */
export function checkParameter(
  name: string,
  analytic: number,
  numeric: NumericDerivative,
  manual?: Manual,
): CheckedParameter {
  const error = relativeError(analytic, numeric.value);
  const problem =
    (manual && manualProblem(manual, analytic, numeric)) ??
    (numeric.kink || error <= GRADIENT_TOLERANCE || Math.abs(analytic - numeric.value) <= numeric.noise
      ? undefined
      : `analytic ${formatNumber(analytic)}, numeric ${formatNumber(numeric.value)}`);
  return {
    name,
    ...(manual && { manual: manual.value }),
    analytic,
    numeric: numeric.value,
    relativeError: error,
    ...(numeric.kink && { kink: true }),
    passed: problem === undefined,
    ...(problem !== undefined && { problem }),
  };
}

export function checkOf(name: string, parameters: CheckedParameter[]): Check {
  return {
    name,
    passed: parameters.every((parameter) => parameter.passed),
    maxRelativeError: parameters.reduce(
      (largest, { kink, relativeError }) => (kink || relativeError <= largest ? largest : relativeError),
      0,
    ),
    parameters,
  };
}

/** Differentiates a graph by its inputs in all ways, and grades the manual values. */
export function checkGraph(
  { graph, point, manual }: CheckedGraph,
  name: string,
): { check: Check; derivation: Derivation } {
  const derivation = derive(graph, point);
  const numeric = numericGradient(samplesOf(graph), point);
  const parameters = derivation.inputs.map(({ input, gradient, agrees }, i) => {
    const value = manual.get(input);
    const graded = value === undefined ? undefined : { value, tolerance: MANUAL_TOLERANCE };
    const parameter = checkParameter(input, gradient, numeric[i], graded);
    return agrees === false
      ? { ...parameter, passed: false, problem: 'the sum over all paths differs' }
      : parameter;
  });
  return { check: checkOf(name, parameters), derivation };
}

/** A node of a graph as a function of the inputs, with its kinks. */
function samplesOf(graph: Graph, output = graph.output): (point: ArrayLike<number>) => Sample {
  const paths = countPaths(graph, output);
  const involved = graph.nodes.map((_, i) => i).filter((i) => paths[i] > 0n);
  return (point) => {
    const values = forward(graph, point);
    const sides = involved.flatMap((i) => {
      const { operation, operands } = graph.nodes[i];
      return operation?.side ? [Math.sign(operation.side(operands.map((k) => values[k])))] : [];
    });
    const magnitude = involved.reduce((largest, i) => Math.max(largest, Math.abs(values[i])), 0);
    return { value: values[output], sides, magnitude };
  };
}

function manualProblem(
  { value, tolerance }: Manual,
  analytic: number,
  { kink, slopes }: NumericDerivative,
): string | undefined {
  if (relativeError(value, analytic) <= tolerance) return undefined;
  // Beyond the domain of a function there is no slope: then only the derivative itself is right.
  if (!kink || !slopes.every(Number.isFinite)) {
    return `manual ${formatNumber(value)}, expected ${formatNumber(analytic)}`;
  }
  const [lowest, highest] = [Math.min(...slopes), Math.max(...slopes)];
  const slack = tolerance * Math.max(1, Math.abs(lowest), Math.abs(highest));
  if (value >= lowest - slack && value <= highest + slack) return undefined;
  const [from, to] = [lowest, highest].map(formatNumber);
  return `manual ${formatNumber(value)}, expected a value from ${from} to ${to}`;
}
