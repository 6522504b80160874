/**
 * Fresh graphs for a class: a few neurons with one operation a node, to be differentiated by hand.
 * The seed decides everything. All numbers are short decimals, and no node is near a kink.
 */
import { RandomState } from '../random/randomState.js';
import { backward, forward, type Graph } from './graph.js';
import { type GraphInput, readGraph } from './graphFile.js';
import { OPEN } from './manual.js';

/** Numbers with more decimals are no fun by hand. */
const DECIMALS = 3;
const LARGEST = 6;
/** How far each argument stays from the kink of its function. */
const KINK_DISTANCE = 0.1;

/** @param solved whether `manual` holds the derivatives, or "?" in their place */
export function makeExercise(seed: number, solved: boolean): GraphInput {
  const random = new RandomState(seed);
  for (;;) {
    const draft = drawGraph(random);
    const answers = answersOf(draft);
    if (answers === undefined) continue;
    const manual = Object.fromEntries(answers.map(([name, value]) => [name, solved ? value : OPEN]));
    return { ...draft, manual };
  }
}

/** What an exercise asks for: the derivatives by all parameters and one node. */
interface Draft {
  readonly inputs: Record<string, number>;
  readonly nodes: Record<string, string>;
  readonly output: string;
}

/** The node that an exercise asks for besides the parameters. */
const ASKED_NODE = 'a';

/** Inputs that are data, not parameters. */
const DATA = ['x', 't'];

type Choose = <Item>(items: readonly Item[]) => Item;

function drawGraph(random: RandomState): Draft {
  const choose: Choose = (items) => items[random.randint(0, items.length)];
  const activation = choose(['relu(h)', 'leaky_relu(h, 0.1)', 'abs(h)', 'h^2']);
  const middle = choose<Record<string, string>>([
    { xw: 'a * w1', y: 'xw + b1' },
    { xw: 'a * w0', y: 'xw + b1' },
    { xw: 'x * w1', g: 'xw + b1', y: 'a * g' },
    { xw: 'x * w1', y: 'max(a, xw)' },
    { xw: 'x * w1', y: 'min(a, xw)' },
    { xw: 'a * w1', y: 'xw * w1' },
  ]);
  const skip = choose<Record<string, string>>([{ r: 'y + x' }, { r: 'y + a' }, { r: 'y * w2' }, {}]);
  const last = 'r' in skip ? 'r' : 'y';
  const end = choose<Record<string, string>>([
    { z: `relu(${last})` },
    { z: `leaky_relu(${last}, 0.2)` },
    { e: `${last} - t`, L: 'e^2' },
    { e: `${last} - t`, L: 'abs(e)' },
  ]);
  const nodes = { xw0: 'x * w0', h: 'xw0 + b0', a: activation, ...renamed(middle), ...skip, ...end };
  const used = Object.values(nodes).join(' ');
  const inputs: Record<string, number> = {};
  for (const name of ['x', 'w0', 'b0', 'w1', 'b1', 'w2', 't']) {
    if (new RegExp(`\\b${name}\\b`).test(used)) inputs[name] = drawValue(name, choose);
  }
  return { inputs, nodes, output: Object.keys(end).at(-1) ?? last };
}

/** The product of the middle is the second: `xw1`. */
function renamed(middle: Record<string, string>): Record<string, string> {
  const number = (text: string) => text.replace(/\bxw\b/, 'xw1');
  return Object.fromEntries(Object.entries(middle).map(([name, text]) => [number(name), number(text)]));
}

function drawValue(name: string, choose: Choose): number {
  const size = name === 'x' ? choose([0.5, 1, 1.5, 2, 3]) : choose([1, 2, 3, 4, 5, 6, 7, 8, 9]) / 10;
  return choose([1, -1]) * size;
}

/** The derivatives asked for; undefined if the draft is not pleasant by hand. */
function answersOf(draft: Draft): [name: string, value: number][] | undefined {
  const { graph, point } = readGraph(draft, 'exercise');
  const values = forward(graph, point);
  if (!Array.from(values).every(isShort) || isNearKink(graph, values)) return undefined;
  const gradients = backward(graph, values);
  const asked = graph.nodes.flatMap(({ name }, i) =>
    (i < graph.inputCount ? DATA.includes(name) : name !== ASKED_NODE) ? [] : [i],
  );
  const answers = asked.map((i): [string, number] => [graph.nodes[i].name, rounded(gradients[i])]);
  const parameters = answers.length - 1;
  // A derivative of 0 says that the graph has a dead end, and equal ones ask for the same twice.
  const distinct = new Set(answers.map(([, value]) => Math.abs(value))).size;
  const isPleasant = answers.every(([, value]) => value !== 0) && asked.every((i) => isShort(gradients[i]));
  return isPleasant && parameters >= 3 && parameters <= 5 && distinct >= 3 ? answers : undefined;
}

function isShort(value: number): boolean {
  return Math.abs(value) <= LARGEST && Math.abs(value - rounded(value)) < 1e-12;
}

function rounded(value: number): number {
  return Number(value.toFixed(DECIMALS));
}

function isNearKink({ nodes }: Graph, values: Float64Array): boolean {
  return nodes.some(({ operation, operands }) => {
    const side = operation?.side?.(operands.map((k) => values[k]));
    return side !== undefined && Math.abs(side) < KINK_DISTANCE;
  });
}
