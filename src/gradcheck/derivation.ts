/**
 * A derivative by hand: the sum over all paths from a node to the output of the products of local
 * derivatives, in symbols and numbers. Paths may be exponentially many, hence the cap.
 */
import { backward, countPaths, forward, type Graph, localDerivatives } from './graph.js';
import { type Notation, plainText, writeFormula } from './notation.js';

/** ∂node/∂operand */
export interface LocalDerivative {
  /** The indices of operand and node in the graph. */
  readonly from: number;
  readonly to: number;
  readonly node: string;
  readonly operand: string;
  /** Which of two operands it is, if both are the same node as in x * x. */
  readonly position?: 'left' | 'right' | undefined;
  /** In the names of the nodes, or a number: "w1", "1 - y²", "1". */
  readonly symbol: string;
  readonly value: number;
}

export interface Path {
  /** From the output down to the input: the order of the chain rule. */
  readonly factors: readonly LocalDerivative[];
  readonly value: number;
}

export interface TotalDerivative {
  /** An input, or a node that is graded. */
  readonly by: string;
  /** ∂output/∂by by backpropagation. */
  readonly gradient: number;
  readonly paths: readonly Path[];
  readonly pathCount: bigint;
  /** Whether the sum over the paths is the gradient, up to rounding. Left out if not all are listed. */
  readonly agrees?: boolean;
}

export interface Derivation {
  readonly output: string;
  readonly nodes: readonly {
    /** In the graph, which has constants as well. */
    readonly index: number;
    readonly name: string;
    readonly expression?: string | undefined;
    readonly value: number;
    /** ∂output/∂node */
    readonly gradient: number;
  }[];
  readonly localDerivatives: readonly LocalDerivative[];
  readonly derivatives: readonly TotalDerivative[];
}

/** Paths listed per derivative; the count of all paths is exact. */
export const MAX_PATHS = 64;

/**
 * Differentiates the output by every input, and by the nodes `graded`, in their order. All formulas and
 * names of the result are in the notation.
 */
export function derive(
  graph: Graph,
  point: ArrayLike<number>,
  graded: readonly number[] = [],
  notation: Notation = plainText,
): Derivation {
  const values = forward(graph, point);
  const gradients = backward(graph, values);
  const pathCounts = countPaths(graph);
  const names = graph.nodes.map(({ name, expression }) => notation.node(name, expression));
  const edges = edgesOf(graph, values, names, notation).filter(
    ({ from }) => !isConstant(graph, from) || graded.includes(from),
  );
  const uses: LocalDerivative[][] = graph.nodes.map(() => []);
  for (const edge of edges) {
    if (pathCounts[edge.to] > 0n) uses[edge.from].push(edge);
  }
  return {
    output: names[graph.output],
    nodes: graph.nodes.flatMap(({ name, expression }, i) =>
      isConstant(graph, i) && name === expression
        ? []
        : [
            {
              index: i,
              name: names[i],
              expression: expression === undefined ? undefined : notation.expression(expression),
              value: values[i],
              gradient: gradients[i],
            },
          ],
    ),
    localDerivatives: edges,
    derivatives: [...Array(graph.inputCount).keys(), ...graded].map((i) => {
      const paths = listPaths(uses, i, graph.output);
      const pathCount = pathCounts[i];
      const derivation = { by: names[i], gradient: gradients[i], paths, pathCount };
      return pathCount > BigInt(paths.length)
        ? derivation
        : { ...derivation, agrees: isSum(paths, gradients[i]) };
    }),
  };
}

/** One edge for every operand of every node. */
function edgesOf(
  graph: Graph,
  values: Float64Array,
  names: readonly string[],
  notation: Notation,
): LocalDerivative[] {
  return graph.nodes.flatMap((node, to) => {
    const [a, b] = node.operands.map((k) => notation.asFactor(names[k]));
    const inFormula = { a, b, y: notation.asFactor(names[to]) };
    const twice = node.operands.length === 2 && node.operands[0] === node.operands[1];
    return localDerivatives(node, to, values).map((value, k) => {
      const from = node.operands[k];
      const formula = node.operation?.formulas?.[k];
      const symbol =
        formula === undefined ? notation.number(value) : writeFormula(formula, inFormula, notation);
      const position = twice ? (['left', 'right'] as const)[k] : undefined;
      return { from, to, node: names[to], operand: names[from], position, symbol, value };
    });
  });
}

function isConstant(graph: Graph, i: number): boolean {
  return i >= graph.inputCount && graph.nodes[i].operands.length === 0;
}

/** Up to MAX_PATHS paths; each step goes before those taken, the order of the chain rule. */
function listPaths(uses: readonly (readonly LocalDerivative[])[], from: number, output: number): Path[] {
  interface Walk {
    readonly at: number;
    readonly step?: LocalDerivative;
    readonly before?: Walk;
  }
  const paths: Path[] = [];
  const open: Walk[] = [{ at: from }];
  for (let walk = open.pop(); walk && paths.length < MAX_PATHS; walk = open.pop()) {
    if (walk.at === output) {
      const factors: LocalDerivative[] = [];
      for (let w: Walk | undefined = walk; w?.step; w = w.before) factors.push(w.step);
      paths.push({ factors, value: factors.reduce((product, { value }) => product * value, 1) });
      continue;
    }
    for (const edge of uses[walk.at].toReversed()) {
      open.push({ at: edge.to, step: edge, before: walk });
    }
  }
  return paths;
}

/** Only the order of sums and products differs from backpropagation: a few roundings. */
function isSum(paths: readonly Path[], gradient: number): boolean {
  const sum = paths.reduce((total, { value }) => total + value, 0);
  const size = paths.reduce((total, { value }) => total + Math.abs(value), 0);
  const longest = Math.max(1, ...paths.map(({ factors }) => factors.length));
  return Math.abs(sum - gradient) <= 4 * Number.EPSILON * (longest + paths.length) * size;
}
