/** Graph file → checked graph: the shape of the file, its names, its expressions. */

import { ExitCode, MlpError } from '../errors.js';
import { object } from '../spec/fields.js';
import { checkSchema, formatPlace, oneOf, suggest } from '../spec/messages.js';
import * as z from '../spec/zod.js';
import { quote } from '../text.js';
import { assemble } from './assemble.js';
import { type Expression, IDENTIFIER, namesIn, parseExpression } from './expression.js';
import type { Graph } from './graph.js';

/** The shape of a graph file; what its names mean is checked by `readGraph`. */
export const graphFileSchema = object(
  {
    $schema: z.string({ error: 'the URL of a schema' }).optional(),
    inputs: recordOf(z.number({ error: 'a finite number' }), 'an object that gives every input a number'),
    nodes: recordOf(
      z.string({ error: 'an expression such as "x * w + b"' }),
      'an object of expressions by node',
    ),
    output: z.string({ error: 'the name of a node' }),
    manual: recordOf(z.number({ error: 'a finite number' }), 'an object of derivatives by input').optional(),
  },
  'an object with inputs, nodes and output',
);

/** A graph, the point where it is differentiated, and the derivatives somebody found by hand. */
export interface CheckedGraph {
  readonly graph: Graph;
  /** Values of the inputs, in the graph's order. */
  readonly point: Float64Array;
  /** ∂output/∂input by the input's name, for as many inputs as the file has. */
  readonly manual: ReadonlyMap<string, number>;
}

/**
 * Checks a parsed graph file and builds its graph. `file` is its name, for errors.
 * Throws an MlpError (78) that says where, what was found and what was expected.
 */
export function readGraph(json: unknown, file: string): CheckedGraph {
  checkSchema(graphFileSchema, json, (path) => ({ file, path }));
  // Not the schema's copy: it leaves out a key __proto__ without a word, which checkNames shall refuse.
  const shape = json as z.infer<typeof graphFileSchema>;
  const inputs = new Map(Object.entries(shape.inputs));
  const sources = new Map(Object.entries(shape.nodes));
  const manual = new Map(Object.entries(shape.manual ?? {}));
  checkNames(inputs, sources, file);

  const known = new Set([...inputs.keys(), ...sources.keys()]);
  if (!known.has(shape.output)) throw unknownName(at(file, 'output'), shape.output, [...known]);
  for (const name of manual.keys()) {
    if (!inputs.has(name)) throw unknownName(at(file, 'manual'), name, [...inputs.keys()], 'input');
  }
  const graph = assemble(inputs, parseNodes(sources, known, file), shape.output, file);
  return { graph, point: Float64Array.from(inputs.values()), manual };
}

function recordOf<Value extends z.ZodType>(value: Value, expected: string) {
  return z.record(z.string(), value, { error: expected });
}

function checkNames(
  inputs: ReadonlyMap<string, number>,
  sources: ReadonlyMap<string, string>,
  file: string,
): void {
  if (inputs.size === 0) {
    throw new MlpError(ExitCode.config, `${at(file, 'inputs')}: found no input, expected at least one`);
  }
  for (const [section, names] of Object.entries({ inputs: inputs.keys(), nodes: sources.keys() })) {
    for (const name of names) {
      // A JavaScript object moves keys such as "1" to the front, and __proto__ is no ordinary key of one.
      if (IDENTIFIER.test(name) && name !== '__proto__') continue;
      const expected = 'a letter or underscore, then letters, digits and underscores';
      throw new MlpError(
        ExitCode.config,
        `${at(file, section)}: found ${quote(name)} as a name, expected ${expected}`,
        'rename it, in the expressions as well',
      );
    }
  }
  for (const name of sources.keys()) {
    if (!inputs.has(name)) continue;
    throw new MlpError(
      ExitCode.config,
      `${at(file, 'nodes', name)}: found the name of an input, expected one that is not taken`,
      'rename the node or the input',
    );
  }
}

function parseNodes(
  sources: ReadonlyMap<string, string>,
  known: ReadonlySet<string>,
  file: string,
): Map<string, Expression> {
  const expressions = new Map<string, Expression>();
  for (const [name, source] of sources) {
    const where = at(file, 'nodes', name);
    const expression = parseExpression(source, where);
    for (const used of namesIn(expression)) {
      if (!known.has(used.name)) {
        throw unknownName(`${where}: column ${used.column}`, used.name, [...known]);
      }
    }
    expressions.set(name, expression);
  }
  return expressions;
}

/** Names that an error lists before it only counts them. */
const LISTED = 12;

function unknownName(where: string, name: string, known: readonly string[], kind = 'name'): MlpError {
  const rest = known.length - LISTED;
  const listed = rest > 0 ? [...known.slice(0, LISTED), `${rest} more`] : known;
  const message = `${where}: unknown ${kind} ${quote(name)}; expected ${oneOf(listed)}`;
  return new MlpError(ExitCode.config, message, suggest(name, known));
}

function at(file: string, ...path: string[]): string {
  return formatPlace({ file, path });
}
