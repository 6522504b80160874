/**
 * The scalar computation graph: nodes in an order where every operand comes before its use, values by one pass
 * forward, gradients by one pass back. It is the small twin of `network`: one number a node, nothing to optimise.
 */
import type { Operation } from './operations.js';

export interface GraphNode {
  /** The name it was given, or the text of the sub-expression it stands for. */
  readonly name: string;
  /** How it is computed, as the file says it; an input has none. */
  readonly expression?: string;
  /** An input has none. */
  readonly operation?: Operation;
  /** Indices of earlier nodes. */
  readonly operands: readonly number[];
}

export interface Graph {
  /** The inputs first, then the computed nodes. */
  readonly nodes: readonly GraphNode[];
  readonly inputCount: number;
  /** Index of the node that is differentiated. */
  readonly output: number;
}

/** Collects the nodes of a graph; every method returns the new node's index. */
export class GraphBuilder {
  private readonly nodes: GraphNode[] = [];

  get size(): number {
    return this.nodes.length;
  }

  /** Inputs come before everything that is computed. */
  input(name: string): number {
    return this.nodes.push({ name, operands: [] }) - 1;
  }

  apply(operation: Operation, operands: readonly number[], name: string, expression = name): number {
    return this.nodes.push({ name, expression, operation, operands }) - 1;
  }

  build(output: number): Graph {
    const inputCount = this.nodes.filter((node) => !node.operation).length;
    return { nodes: [...this.nodes], inputCount, output };
  }
}

/** The value of every node, `point` holding those of the inputs in order. */
export function forward(graph: Graph, point: ArrayLike<number>): Float64Array {
  const values = new Float64Array(graph.nodes.length);
  graph.nodes.forEach(({ operation, operands }, i) => {
    values[i] = operation ? operation.value(operands.map((k) => values[k])) : point[i];
  });
  return values;
}

/** ∂node/∂operand for every operand of a node, in their order. */
export function localDerivatives(node: GraphNode, i: number, values: Float64Array): number[] {
  return (
    node.operation?.derivatives(
      node.operands.map((k) => values[k]),
      values[i],
    ) ?? []
  );
}

/** ∂output/∂node for every node, by the chain rule from the output back (reverse mode). */
export function backward(graph: Graph, values: Float64Array, output = graph.output): Float64Array {
  const gradients = new Float64Array(graph.nodes.length);
  gradients[output] = 1;
  for (let i = output; i >= 0; i--) {
    const node = graph.nodes[i];
    localDerivatives(node, i, values).forEach((derivative, k) => {
      gradients[node.operands[k]] += gradients[i] * derivative;
    });
  }
  return gradients;
}

/**
 * How many paths lead from every node to the output: one pass back, exact however many there are.
 * A node with none has no part in the output.
 */
export function countPaths(graph: Graph, output = graph.output): bigint[] {
  const counts = new Array<bigint>(graph.nodes.length).fill(0n);
  counts[output] = 1n;
  for (let i = output; i >= 0; i--) {
    for (const operand of graph.nodes[i].operands) counts[operand] += counts[i];
  }
  return counts;
}
