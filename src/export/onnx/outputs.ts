/** The outputs of a graph: labels with probabilities, or predictions in the unit of the target. */
import type { Output, Part, Program, Unit } from '../program.js';
import type { Graph } from './graph.js';

const ROWS = 'rows';

/** What a part, or all of them, predict: probabilities, and those of no; or values. */
interface Predicted {
  readonly values: string;
  readonly no?: string;
  /** Of the only network, before probabilities round: [rows, outputs]. */
  readonly logits?: string;
}

/**
 * Adds the outputs for the outputs [rows, outputs] of the members of each part.
 * @param raw without labels, which are text, and without doubles
 */
export function addOutputs(
  graph: Graph,
  program: Program,
  members: readonly (readonly string[])[],
  raw: boolean,
): void {
  const { parts, output } = program;
  const predicted = mean(
    graph,
    parts.map((part, i) => partPrediction(graph, part, members[i], output, raw)),
    parts.map(({ weight }) => weight),
  );
  switch (output.kind) {
    case 'classes': {
      const classes = output.classes.length;
      if (!raw) {
        const names = graph.texts('classes', output.classes);
        const label = graph.node('Gather', [names, decided(graph, predicted, parts[0].outputs)]);
        graph.output(label, { name: 'label', type: 'string', dims: [ROWS] });
      }
      graph.output(predicted.values, { name: 'probabilities', type: graph.real, dims: [ROWS, classes] });
      return;
    }
    case 'labels': {
      const width = output.targets.length;
      if (!raw) {
        const { values, no = '', logits } = predicted;
        const zero = () => graph.numbers('zero', graph.real, [0], []);
        const isYes = graph.node('Greater', logits === undefined ? [values, no] : [logits, zero()]);
        const [noNames, yesNames] = [0, 1].map((which) =>
          graph.texts(
            'names',
            output.values.map((pair) => pair[which]),
            [1, width],
          ),
        );
        const label = graph.node('Where', [isYes, yesNames, noNames]);
        graph.output(label, { name: 'label', type: 'string', dims: [ROWS, width] });
      }
      graph.output(predicted.values, { name: 'probabilities', type: graph.real, dims: [ROWS, width] });
      return;
    }
    case 'quantiles': {
      const width = output.quantiles.length;
      const middle = graph.columns(predicted.values, [output.middle], width);
      graph.output(middle, { name: 'prediction', type: graph.real, dims: [ROWS, 1] });
      graph.output(predicted.values, { name: 'quantiles', type: graph.real, dims: [ROWS, width] });
      return;
    }
    case 'numbers':
      graph.output(predicted.values, {
        name: 'prediction',
        type: graph.real,
        dims: [ROWS, output.targets.length],
      });
  }
}

function partPrediction(
  graph: Graph,
  part: Part,
  members: readonly string[],
  { kind }: Output,
  raw: boolean,
): Predicted {
  const all = mean(
    graph,
    members.map((h): Predicted => {
      if (kind === 'classes') return { values: probabilities(graph, h, part.outputs), logits: h };
      if (kind !== 'labels') return { values: h };
      const no = graph.node('Sigmoid', [graph.node('Neg', [h])]);
      return { values: graph.node('Sigmoid', [h]), no, logits: h };
    }),
    members.map(() => 1),
  );
  if (!part.units) return all;
  const values = kind === 'quantiles' ? sorted(graph, all.values, part.outputs) : all.values;
  return { values: inUnits(graph, values, part.units, raw) };
}

function probabilities(graph: Graph, h: string, outputs: number): string {
  if (outputs > 1) return graph.node('Softmax', [h], { axis: { int: -1 } });
  return graph.concat([graph.node('Sigmoid', [graph.node('Neg', [h])]), graph.node('Sigmoid', [h])]);
}

/** The first likeliest class [rows]. Two different logits may have equal probabilities, so they decide if there are any. */
function decided(graph: Graph, { values, logits }: Predicted, outputs: number): string {
  if (logits === undefined || outputs > 1) {
    const attributes = { axis: { int: 1 }, keepdims: { int: 0 } };
    return graph.node('ArgMax', [logits ?? values], attributes);
  }
  const isSecond = graph.node('Greater', [logits, graph.numbers('zero', graph.real, [0], [])]);
  return graph.reshape(graph.cast(isSecond, 'int64'), [-1]);
}

function mean(graph: Graph, all: readonly Predicted[], weights: readonly number[]): Predicted {
  if (all.length === 1) return all[0];
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const of = (values: readonly string[]) => {
    const isEven = weights.every((weight) => weight === weights[0]);
    const scaled = isEven
      ? values
      : values.map((value, i) =>
          graph.node('Mul', [value, graph.numbers('weight', graph.real, [weights[i]], [])]),
        );
    const divisor = isEven ? values.length : total;
    return graph.node('Div', [
      graph.node('Sum', scaled),
      graph.numbers('members', graph.real, [divisor], []),
    ]);
  };
  const no = all.flatMap((own) => own.no ?? []);
  return { values: of(all.map(({ values }) => values)), ...(no.length > 0 && { no: of(no) }) };
}

/** Each row in rising order. */
function sorted(graph: Graph, h: string, width: number): string {
  const attributes = { axis: { int: -1 }, largest: { int: 0 }, sorted: { int: 1 } };
  return graph.node('TopK', [h, graph.numbers('count', 'int64', [width], [1])], attributes, { outputs: 2 });
}

/** In double, unless only the types of the network are wanted. */
function inUnits(graph: Graph, h: string, units: readonly Unit[], raw: boolean): string {
  const [first] = units;
  const isSame = !first.link && first.scale === undefined && !first.inverse && !first.range;
  if (isSame) return h;
  const type = raw ? graph.real : 'double';
  const row = (name: string, of: (unit: Unit) => number) => graph.numbers(name, type, units.map(of));
  let y = type === graph.real ? h : graph.cast(h, type);
  if (first.link) y = graph.node('Exp', [y]);
  if (first.scale !== undefined) {
    y = graph.node('Mul', [y, row('target_scale', ({ scale = 1 }) => scale)]);
    y = graph.node('Add', [y, row('target_mean', (unit) => unit.mean ?? 0)]);
  }
  if (first.inverse) y = graph.node('Exp', [y]);
  if (first.inverse === 'expm1') y = graph.node('Sub', [y, graph.numbers('one', type, [1], [])]);
  if (first.range) {
    y = graph.node('Max', [y, row('least', ({ range }) => range?.[0] ?? Number.NEGATIVE_INFINITY)]);
    y = graph.node('Min', [y, row('greatest', ({ range }) => range?.[1] ?? Number.POSITIVE_INFINITY)]);
  }
  return type === graph.real ? y : graph.cast(y, graph.real);
}
