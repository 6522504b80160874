/**
 * A derivative by hand: the sum over all paths from input to output of the products of local
 * derivatives, in symbols and numbers. Paths may be exponentially many, hence the cap.
 */
import { formatNumber } from '../text.js';
import { backward, countPaths, forward, type Graph, localDerivatives } from './graph.js';

/** ∂node/∂operand */
export interface LocalDerivative {
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

export interface InputDerivation {
  readonly input: string;
  /** ∂output/∂input by backpropagation. */
  readonly gradient: number;
  readonly paths: readonly Path[];
  readonly pathCount: bigint;
  /** Whether the sum over the paths is the gradient, up to rounding. Left out if not all are listed. */
  readonly agrees?: boolean;
}

export interface Derivation {
  readonly output: string;
  readonly nodes: readonly {
    readonly name: string;
    readonly expression?: string | undefined;
    readonly value: number;
  }[];
  readonly localDerivatives: readonly LocalDerivative[];
  readonly inputs: readonly InputDerivation[];
}

/** Paths listed per input; the count of all paths is exact. */
export const MAX_PATHS = 64;

export function derive(graph: Graph, point: ArrayLike<number>): Derivation {
  const values = forward(graph, point);
  const gradients = backward(graph, values);
  const pathCounts = countPaths(graph);
  const edges = edgesOf(graph, values);
  const uses: Edge[][] = graph.nodes.map(() => []);
  for (const edge of edges) {
    if (pathCounts[edge.to] > 0n) uses[edge.from].push(edge);
  }
  return {
    output: graph.nodes[graph.output].name,
    nodes: graph.nodes
      .map(({ name, expression }, i) => ({ name, expression, value: values[i] }))
      .filter(({ name }, i) => !isConstant(graph, i) || name !== graph.nodes[i].expression),
    localDerivatives: edges.map((edge) => edge.derivative),
    inputs: graph.nodes.slice(0, graph.inputCount).map(({ name }, i) => {
      const paths = listPaths(uses, i, graph.output);
      const pathCount = pathCounts[i];
      const derivation = { input: name, gradient: gradients[i], paths, pathCount };
      return pathCount > BigInt(paths.length)
        ? derivation
        : { ...derivation, agrees: isSum(paths, gradients[i]) };
    }),
  };
}

interface Edge {
  readonly from: number;
  readonly to: number;
  readonly derivative: LocalDerivative;
}

/** One edge for every operand of every node, except constants. */
function edgesOf(graph: Graph, values: Float64Array): Edge[] {
  const { nodes } = graph;
  return nodes.flatMap((node, to) => {
    const names = node.operands.map((k) => factor(nodes[k].name));
    const symbols = node.operation?.symbols?.(names, factor(node.name));
    const twice = node.operands.length === 2 && node.operands[0] === node.operands[1];
    return localDerivatives(node, to, values)
      .map((value, k) => {
        const from = node.operands[k];
        const symbol = symbols?.[k] ?? formatNumber(value);
        const position = twice ? (['left', 'right'] as const)[k] : undefined;
        const derivative = { node: node.name, operand: nodes[from].name, position, symbol, value };
        return { from, to, derivative };
      })
      .filter(({ from }) => !isConstant(graph, from));
  });
}

function isConstant(graph: Graph, i: number): boolean {
  return i >= graph.inputCount && graph.nodes[i].operands.length === 0;
}

/** Up to MAX_PATHS paths; each step goes before those taken, the order of the chain rule. */
function listPaths(uses: readonly (readonly Edge[])[], input: number, output: number): Path[] {
  interface Walk {
    readonly at: number;
    readonly step?: LocalDerivative;
    readonly before?: Walk;
  }
  const paths: Path[] = [];
  const open: Walk[] = [{ at: input }];
  for (let walk = open.pop(); walk && paths.length < MAX_PATHS; walk = open.pop()) {
    if (walk.at === output) {
      const factors: LocalDerivative[] = [];
      for (let w: Walk | undefined = walk; w?.step; w = w.before) factors.push(w.step);
      paths.push({ factors, value: factors.reduce((product, { value }) => product * value, 1) });
      continue;
    }
    for (const edge of uses[walk.at].toReversed()) {
      open.push({ at: edge.to, step: edge.derivative, before: walk });
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

/** `text` as a factor: in parentheses unless it is a name, a plain number or a call. */
export function factor(text: string): string {
  let outside = text;
  for (let before = ''; before !== outside; ) {
    before = outside;
    outside = before.replace(/\([^()]*\)/g, '');
  }
  return /^[\p{L}\p{N}_.]*$/u.test(outside) ? text : `(${text})`;
}
