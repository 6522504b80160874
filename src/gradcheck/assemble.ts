/**
 * Parsed expressions → graph. Nodes may refer to each other in any order; the graph has every one after those it
 * uses. Operations inside an expression become nodes of their own, named by their text, or where that is long by the
 * node they belong to and a number: L.1, L.2.
 */
import { ExitCode, MlpError } from '../errors.js';
import { formatPlace } from '../spec/messages.js';
import { formatNumber } from '../text.js';
import { type Expression, namesIn } from './expression.js';
import { forward, type Graph, GraphBuilder, localDerivatives } from './graph.js';
import { constant, identity } from './operations.js';

/** Enough for any derivation that is looked at; a bound on what a hostile file can cost. */
const MAX_OPERATIONS = 10_000;

/** Characters of a sub-expression that still reads well as a name. */
const LONGEST_NAME = 16;

/**
 * Builds the graph of `output`, whose inputs have the values given. Every name in the expressions is an input or a
 * node. Throws an MlpError (78), `file` at its head, for a cycle, for too many operations, and where a value or a
 * local derivative is not finite.
 */
export function assemble(
  inputs: ReadonlyMap<string, number>,
  expressions: ReadonlyMap<string, Expression>,
  output: string,
  file: string,
): Graph {
  const builder = new GraphBuilder();
  const indices = new Map<string, number>();
  for (const name of inputs.keys()) indices.set(name, builder.input(name));
  /** For every computed node of the graph, the node of the file it belongs to. */
  const owners: string[] = [];
  /** Operations inside the node in hand that are named by a number. */
  let unnamed = 0;

  /** Adds the operations of an expression and returns the last; that one is the node itself and takes its name. */
  const add = (expression: Expression, owner: string, name?: string): number => {
    if (expression.kind === 'name' && name === undefined) return indexOf(expression.name);
    const [operation, operands] =
      expression.kind === 'number'
        ? [constant(expression.value), []]
        : expression.kind === 'name'
          ? [identity, [indexOf(expression.name)]]
          : [expression.operation, expression.operands.map((operand) => add(operand, owner))];
    const { text } = expression;
    const nodeName = name ?? (text.length <= LONGEST_NAME ? text : `${owner}.${++unnamed}`);
    const index = builder.apply(operation, operands, nodeName, text);
    if (index >= MAX_OPERATIONS) {
      const message = `found more than ${MAX_OPERATIONS} inputs and operations, expected no more`;
      throw new MlpError(ExitCode.config, `${place(owner)}: ${message}`);
    }
    owners[index] = owner;
    return index;
  };
  const place: Place = (node) => formatPlace({ file, path: ['nodes', node] });
  const indexOf = (name: string): number => indices.get(name) as number;

  for (const [name, expression] of inOrder(expressions, place)) {
    unnamed = 0;
    indices.set(name, add(expression, name, name));
  }
  const graph = builder.build(indexOf(output));
  checkFinite(graph, Float64Array.from(inputs.values()), (index) => place(owners[index]));
  return graph;
}

/** Where a node stands in the file, for errors. */
type Place = (node: string) => string;

/** The nodes, each after those it uses, else in the file's order: depth first, with a stack of its own. */
function inOrder(expressions: ReadonlyMap<string, Expression>, place: Place): Map<string, Expression> {
  const done = new Map<string, Expression>();
  for (const root of expressions.keys()) {
    /** From the root to the node in hand, each with the names it still waits for. */
    const open = new Map<string, string[]>();
    const trail = [root];
    while (trail.length > 0) {
      const name = trail[trail.length - 1];
      const expression = expressions.get(name);
      if (!expression || done.has(name)) {
        trail.pop();
        continue;
      }
      const waiting =
        open.get(name) ??
        namesIn(expression)
          .map((used) => used.name)
          .reverse();
      open.set(name, waiting);
      const next = waiting.pop();
      if (next === undefined) {
        done.set(name, expression);
        open.delete(name);
      } else if (open.has(next)) {
        const cycle = [...trail.slice(trail.indexOf(next)), next].join(' -> ');
        const message = `found the cycle ${cycle}, expected nodes that don't depend on themselves`;
        throw new MlpError(ExitCode.config, `${place(next)}: ${message}`);
      } else {
        trail.push(next);
      }
    }
  }
  return done;
}

/** Throws for the first node whose value or local derivatives are not finite: log of 0, say, or sqrt at 0. */
function checkFinite(graph: Graph, point: Float64Array, where: (index: number) => string): void {
  const values = forward(graph, point);
  graph.nodes.forEach((node, index) => {
    const finite = Number.isFinite(values[index]);
    if (finite && localDerivatives(node, index, values).every(Number.isFinite)) return;
    const operands = [...new Set(node.operands)];
    const at = operands.map((k) => `${graph.nodes[k].name} = ${formatNumber(values[k])}`).join(', ');
    const message = finite
      ? `the derivative of ${node.expression} is not finite at ${at}; expected a finite derivative`
      : `${node.expression} is ${values[index]} at ${at}; expected a finite value`;
    const hint = 'choose inputs where every function and its derivative are defined';
    throw new MlpError(ExitCode.config, `${where(index)}: ${message}`, hint);
  });
}
