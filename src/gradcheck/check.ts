/**
 * Three derivatives and the verdict: manual (from the file or a closed form), analytic
 * (backpropagation) and numeric (differences). `gradcheck --json` prints these types.
 */

import { formatNumber } from '../text.js';
import { type Derivation, derive } from './derivation.js';
import { type Expression, evaluate } from './expression.js';
import { backward, countPaths, forward, type Graph } from './graph.js';
import type { CheckedGraph } from './graphFile.js';
import type { ManualValue } from './manual.js';
import { type NumericDerivative, numericDerivative, relativeError, type Sample } from './numeric.js';

/** Largest relative error between analytic and numeric derivatives of a smooth function. */
export const GRADIENT_TOLERANCE = 1e-7;

/** The same for numbers and formulas by hand: rounding to five significant digits always stays within it. */
export const MANUAL_TOLERANCE = 1e-4;

export interface CheckedParameter {
  name: string;
  /** The value by hand; left out while it is open. */
  manual?: number;
  /** As the file writes it, if it is no number: "w1*x0", "-0.333", or "?" while it is open. */
  manualText?: string;
  /** How far the value by hand may be from the analytic one. */
  limit?: number;
  analytic: number;
  numeric: number;
  /** Between analytic and numeric. */
  relativeError: number;
  /** Set if a formula by hand has the right value here, but not at inputs nearby. */
  onlyHere?: true;
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

/** A value by hand, which a decimal as text grades by its digits, anything else by the tolerance. */
export interface Manual extends ManualValue {
  /** Relative, as `relativeError` is. */
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
    ...(manual && writtenOf(manual, analytic)),
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

/**
 * Differentiates a graph by its inputs and by the nodes with a value by hand, in all ways, and grades
 * those values.
 */
export function checkGraph(
  { graph, point, manual }: CheckedGraph,
  name: string,
  tolerance = MANUAL_TOLERANCE,
): { check: Check; derivation: Derivation } {
  const graded = gradedNodes(graph, manual);
  const derivation = derive(graph, point, graded);
  const values = forward(graph, point);
  const sample = samplesOf(graph, point);
  const nodes = [...Array(graph.inputCount).keys(), ...graded];
  const parameters = derivation.derivatives.map(({ by, gradient, agrees }, i) => {
    const numeric = numericDerivative((value) => sample({ node: nodes[i], value }), values[nodes[i]]);
    const value = manual.get(by);
    const graded = checkParameter(by, gradient, numeric, value && { ...value, tolerance });
    const isChance = graded.passed && value?.formula && !holdsNearby(graph, point, nodes[i], value.formula);
    const parameter: CheckedParameter = isChance ? { ...graded, onlyHere: true } : graded;
    return agrees === false
      ? { ...parameter, passed: false, problem: 'the sum over all paths differs' }
      : parameter;
  });
  return { check: checkOf(name, parameters), derivation };
}

/** How far inputs are moved to see whether a formula holds there, for |x| ≤ 1; it grows with |x|. */
const NEARBY = 1e-3;

/**
 * Whether a formula is the derivative by a node at other inputs too: `w1` has the value of `w1*x0` where
 * x0 is 1. Undecided where a kink is near, or a function ends.
 */
function holdsNearby(graph: Graph, point: ArrayLike<number>, node: number, formula: Expression): boolean {
  const indices = new Map(graph.nodes.map(({ name }, i) => [name, i]));
  const at = (inputs: ArrayLike<number>) => {
    const values = forward(graph, inputs);
    const derivative = backward(graph, values)[node];
    const found = evaluate(formula, (name) => values[indices.get(name) as number]);
    return { error: relativeError(found, derivative), sides: sidesOf(graph, values).join() };
  };
  const here = at(point);
  // Each input by another amount, so that no two changes cancel.
  const moved = Array.from(point, (x, i) => x + NEARBY * Math.max(1, Math.abs(x)) * Math.cos(i + 1));
  const there = at(moved);
  if (there.sides !== here.sides || Number.isNaN(there.error)) return true;
  // A formula with rounded numbers is as wrong there as it is here.
  return there.error <= Math.max(1e-6, 2 * here.error);
}

/** The nodes, without the inputs, that have a value by hand: in their order in the graph. */
export function gradedNodes(graph: Graph, manual: CheckedGraph['manual']): number[] {
  return graph.nodes.flatMap(({ name }, i) => (i >= graph.inputCount && manual.has(name) ? [i] : []));
}

/** The output as a function of the value of one node, with its kinks. */
function samplesOf(graph: Graph, point: ArrayLike<number>) {
  const paths = countPaths(graph);
  const involved = graph.nodes.map((_, i) => i).filter((i) => paths[i] > 0n);
  return (fixed: { readonly node: number; readonly value: number }): Sample => {
    const values = forward(graph, point, fixed);
    const sides = sidesOf(graph, values, involved);
    const magnitude = involved.reduce((largest, i) => Math.max(largest, Math.abs(values[i])), 0);
    return { value: values[graph.output], sides, magnitude };
  };
}

/** On which side of its kink each node is. */
function sidesOf({ nodes }: Graph, values: Float64Array, involved = nodes.map((_, i) => i)): number[] {
  return involved.flatMap((i) => {
    const { operation, operands } = nodes[i];
    return operation?.side ? [Math.sign(operation.side(operands.map((k) => values[k])))] : [];
  });
}

/** What a report shows of a value by hand. */
function writtenOf(manual: Manual, analytic: number) {
  const { value, text } = manual;
  return {
    ...(!Number.isNaN(value) && { manual: value }),
    ...(text !== undefined && { manualText: text }),
    ...(!Number.isNaN(value) && { limit: limitOf(manual, analytic) }),
  };
}

function limitOf({ value, tolerance, rounding }: Manual, analytic: number): number {
  return rounding ?? tolerance * Math.max(1e-8, Math.abs(value) + Math.abs(analytic));
}

function manualProblem(
  manual: Manual,
  analytic: number,
  { kink, slopes }: NumericDerivative,
): string | undefined {
  const { value, text, rounding, tolerance } = manual;
  if (Number.isNaN(value)) return 'no value by hand yet';
  // Halves are no exact binary fractions: 0.3335 may be a hair more than half a unit from 0.333.
  const limit = limitOf(manual, analytic) + 4 * Number.EPSILON * Math.abs(analytic);
  if (Math.abs(value - analytic) <= limit) return undefined;
  const number = formatNumber(value);
  const found = text === undefined || rounding !== undefined ? (text ?? number) : `${text} = ${number}`;
  // Beyond the domain of a function there is no slope: then only the derivative itself is right.
  if (!kink || !slopes.every(Number.isFinite)) {
    return `manual ${found}, expected ${formatNumber(analytic)}`;
  }
  const [lowest, highest] = [Math.min(...slopes), Math.max(...slopes)];
  const slack = rounding ?? tolerance * Math.max(1, Math.abs(lowest), Math.abs(highest));
  if (value >= lowest - slack && value <= highest + slack) return undefined;
  const [from, to] = [lowest, highest].map(formatNumber);
  return `manual ${found}, expected a value from ${from} to ${to}`;
}
