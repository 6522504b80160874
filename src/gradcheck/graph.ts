/** The scalar computation graph: every operand comes before its use. */
import type { Operation } from './operations.js';

export interface GraphNode {
  /** The given name, or the text of the sub-expression that the node computes. */
  readonly name: string;
  /** How it is computed, as the file writes it; an input has none. */
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
  readonly output: number;
}

/** Collects the nodes of a graph; every method returns the index of the new node. */
export class GraphBuilder {
  readonly #nodes: GraphNode[] = [];

  /** Inputs come before all computed nodes. */
  input(name: string): number {
    return this.#nodes.push({ name, operands: [] }) - 1;
  }

  apply(operation: Operation, operands: readonly number[], name: string, expression = name): number {
    return this.#nodes.push({ name, expression, operation, operands }) - 1;
  }

  build(output: number): Graph {
    const inputCount = this.#nodes.filter((node) => !node.operation).length;
    return { nodes: [...this.#nodes], inputCount, output };
  }
}

/**
 * The value of every node; `point` has the values of the inputs in their order.
 * @param fixed a node with a value of its own, whatever its operands are
 */
export function forward(
  graph: Graph,
  point: ArrayLike<number>,
  fixed?: { readonly node: number; readonly value: number },
): Float64Array {
  const values = new Float64Array(graph.nodes.length);
  graph.nodes.forEach(({ operation, operands }, i) => {
    if (i === fixed?.node) values[i] = fixed.value;
    else values[i] = operation ? operation.value(operands.map((k) => values[k])) : point[i];
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

/** Paths from every node to the output, exact. A node without one does not affect the output. */
export function countPaths(graph: Graph, output = graph.output): bigint[] {
  const counts = new Array<bigint>(graph.nodes.length).fill(0n);
  counts[output] = 1n;
  for (let i = output; i >= 0; i--) {
    for (const operand of graph.nodes[i].operands) counts[operand] += counts[i];
  }
  return counts;
}
