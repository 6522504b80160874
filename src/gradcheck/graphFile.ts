/** Graph file → checked graph. Operations inside an expression become nodes: L.1, L.2, if long. */
import { ExitCode, MlpError } from '../errors.js';
import { object } from '../spec/fields.js';
import { checkSchema, formatLocation, oneOf, suggest, type Where } from '../spec/messages.js';
import * as z from '../spec/zod.js';
import { quote } from '../text.js';
import { type Expression, IDENTIFIER, namesIn, parseExpression } from './expression.js';
import { forward, type Graph, GraphBuilder, localDerivatives } from './graph.js';
import { type ManualValue, notFinite, readManual } from './manual.js';
import { constant, identity } from './operations.js';

/** The shape of a graph file; what its names mean is checked by `readGraph`. */
const graphFileSchema = object(
  {
    $schema: z.string({ error: 'the URL of a schema' }).optional(),
    inputs: recordOf(z.number({ error: 'a finite number' }), 'an object that gives every input a number'),
    nodes: recordOf(
      z.string({ error: 'an expression such as "x * w + b"' }),
      'an object of expressions by node',
    ),
    output: z.string({ error: 'the name of a node' }),
    manual: recordOf(
      z.union([z.number(), z.string()], { error: 'a finite number, or a text such as "1/3" or "w1*x0"' }),
      'an object of derivatives by input or node',
    ).optional(),
  },
  'an object with inputs, nodes and output',
);

/** A graph file as a user writes it: see docs/gradcheck.md. */
export interface GraphInput extends z.input<typeof graphFileSchema> {}

/** A graph, the point where to differentiate it, and the derivatives found by hand. */
export interface CheckedGraph {
  readonly graph: Graph;
  readonly point: Float64Array;
  /** ∂output/∂x by the name x of an input or a node, for those that the file grades. */
  readonly manual: ReadonlyMap<string, ManualValue>;
}

/**
 * @param text of the file, if `json` is from one
 * @throws MlpError ExitCode.config for a mistake in the file, which errors call `file`
 */
export function readGraph(json: unknown, file: string, text?: string): CheckedGraph {
  checkSchema(graphFileSchema, json, (path) => ({ file, path, text }));
  const where: Where = (path, key) => formatLocation({ file, path, text }, key);
  // Not the schema's copy: that drops a key __proto__ in silence, and checkNames must refuse it.
  const shape = json as z.infer<typeof graphFileSchema>;
  const inputs = new Map(Object.entries(shape.inputs));
  const sources = new Map(Object.entries(shape.nodes));
  const manual = new Map<string, number | string>(Object.entries(shape.manual ?? {}));
  checkNames(inputs, sources, where);

  const known = new Set([...inputs.keys(), ...sources.keys()]);
  if (!known.has(shape.output)) throw unknownName(where(['output']), shape.output, [...known]);
  for (const name of manual.keys()) {
    if (!known.has(name)) throw unknownName(where(['manual'], name), name, [...known]);
  }
  const point = Float64Array.from(inputs.values());
  const { graph, values } = buildGraph(inputs, parseNodes(sources, known, where), shape.output, where);
  const read = (given: number | string, name: string) =>
    readManual(
      given,
      values,
      () => where(['manual', name]),
      (place, unknown) => unknownName(place, unknown, [...known]),
    );
  return { graph, point, manual: new Map(Array.from(manual, ([name, given]) => [name, read(given, name)])) };
}

function recordOf<Value extends z.ZodType>(value: Value, expected: string) {
  return z.record(z.string(), value, { error: expected });
}

function checkNames(
  inputs: ReadonlyMap<string, number>,
  sources: ReadonlyMap<string, string>,
  where: Where,
): void {
  if (inputs.size === 0) {
    throw new MlpError(ExitCode.config, `${where(['inputs'])}: found no input, expected at least one`);
  }
  for (const [section, names] of Object.entries({ inputs: inputs.keys(), nodes: sources.keys() })) {
    for (const name of names) {
      // JavaScript objects move keys such as "1" to the front, and __proto__ is not an ordinary key.
      if (IDENTIFIER.test(name) && name !== '__proto__') continue;
      const expected = 'a letter or underscore, then letters, digits and underscores';
      throw new MlpError(
        ExitCode.config,
        `${where([section], name)}: found ${quote(name)} as a name, expected ${expected}`,
        'rename it, in the expressions as well',
      );
    }
  }
  for (const name of sources.keys()) {
    if (!inputs.has(name)) continue;
    throw new MlpError(
      ExitCode.config,
      `${where(['nodes', name])}: found the name of an input, expected an unused name`,
      'rename the node or the input',
    );
  }
}

function parseNodes(
  sources: ReadonlyMap<string, string>,
  known: ReadonlySet<string>,
  where: Where,
): Map<string, Expression> {
  const expressions = new Map<string, Expression>();
  for (const [name, source] of sources) {
    const place = () => where(['nodes', name]);
    const expression = parseExpression(source, place);
    for (const used of namesIn(expression)) {
      if (!known.has(used.name)) {
        throw unknownName(`${place()}: column ${used.column}`, used.name, [...known]);
      }
    }
    expressions.set(name, expression);
  }
  return expressions;
}

/** An error lists at most this many names and counts the rest. */
const LISTED = 12;

function unknownName(place: string, name: string, known: readonly string[]): MlpError {
  const rest = known.length - LISTED;
  const listed = rest > 0 ? [...known.slice(0, LISTED), `${rest} more`] : known;
  const message = `${place}: unknown name ${quote(name)}; expected ${oneOf(listed)}`;
  return new MlpError(ExitCode.config, message, suggest(name, known));
}

/** Enough for any derivation that people read; it bounds what a hostile file can cost. */
const MAX_OPERATIONS = 10_000;

/** A longer sub-expression does not read well as a name. */
const LONGEST_NAME = 16;

/**
 * The graph, and the value of each name in it.
 * @throws MlpError ExitCode.config for a cycle, too many operations, or a value that is not finite
 */
function buildGraph(
  inputs: ReadonlyMap<string, number>,
  expressions: ReadonlyMap<string, Expression>,
  output: string,
  where: Where,
): { graph: Graph; values: ReadonlyMap<string, number> } {
  const builder = new GraphBuilder();
  const indices = new Map<string, number>();
  for (const name of inputs.keys()) indices.set(name, builder.input(name));
  /** For every computed node of the graph, the node of the file that it belongs to, and its expression. */
  const owners: { readonly node: string; readonly expression: Expression }[] = [];
  /** How many operations of the current node are named by a number. */
  let unnamed = 0;

  /** Adds the operations of an expression and returns the last, which is the node itself. */
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
      throw new MlpError(ExitCode.config, `${locate(owner)}: ${message}`);
    }
    owners[index] = { node: owner, expression };
    return index;
  };
  const locate: Locate = (node) => where(['nodes', node]);
  const indexOf = (name: string): number => indices.get(name) as number;

  for (const [name, expression] of inOrder(expressions, locate)) {
    unnamed = 0;
    indices.set(name, add(expression, name, name));
  }
  const graph = builder.build(indexOf(output));
  const values = forward(graph, Float64Array.from(inputs.values()));
  checkFinite(graph, values, owners, locate);
  return { graph, values: new Map(Array.from(indices, ([name, index]) => [name, values[index]])) };
}

type Locate = (node: string) => string;

/** The nodes, each after those it uses, else in file order: depth first, with an own stack. */
function inOrder(expressions: ReadonlyMap<string, Expression>, locate: Locate): Map<string, Expression> {
  const done = new Map<string, Expression>();
  for (const root of expressions.keys()) {
    /** The nodes from the root to the current one, each with the names it still waits for. */
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
        const cycle = [...trail.slice(trail.indexOf(next)), next];
        const shown = cycle.length > LISTED ? [...cycle.slice(0, LISTED), '…', next] : cycle;
        const message = `found the cycle ${shown.join(' -> ')}, expected nodes that don't depend on themselves`;
        throw new MlpError(ExitCode.config, `${locate(next)}: ${message}`);
      } else {
        trail.push(next);
      }
    }
  }
  return done;
}

/** Refuses a node whose value or local derivatives are not finite, such as log(0) or sqrt at 0. */
function checkFinite(
  graph: Graph,
  values: Float64Array,
  owners: readonly { readonly node: string; readonly expression: Expression }[],
  locate: Locate,
): void {
  for (let i = graph.inputCount; i < graph.nodes.length; i++) {
    const { node, expression } = owners[i];
    if (expression.kind !== 'operation') continue;
    const derivatives = localDerivatives(graph.nodes[i], i, values);
    if ([values[i], ...derivatives].every(Number.isFinite)) continue;
    const operands = graph.nodes[i].operands.map((k) => values[k]);
    const place = `${locate(node)}: column ${expression.column}`;
    const hint = 'choose inputs where every function and its derivative are defined';
    throw notFinite(place, expression, operands, values[i], hint);
  }
}
