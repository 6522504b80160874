/**
 * The inputs of a graph, one for each column, and what makes inputs of the network of them. Numbers are
 * computed in double precision and rounded once, as in src/data/encoding; text is looked up.
 */
import { BOOLEAN_WORDS } from '../../data/booleans.js';
import { inAnyCase } from '../encodings.js';
import type { ExportRequest } from '../format.js';
import {
  type DateInput,
  type Encoding,
  type InputColumn,
  isText,
  type Part,
  type Program,
  type Scale,
} from '../program.js';
import { dateParts } from './dates.js';
import { type Graph, ML } from './graph.js';

type Of<Kind extends Encoding['kind']> = Extract<Encoding, { readonly kind: Kind }>;

/** A column as a value of the graph [rows, 1]. */
export interface ColumnValue {
  readonly column: InputColumn;
  readonly value: string;
  readonly isText: boolean;
}

const ROWS = 'rows';
/** The input of all columns as a matrix. */
export const MATRIX = 'features';

/** Adds the inputs of a program to the graph: each column by its name, or all as a matrix. */
export function addInputs(graph: Graph, program: Program, layout: ExportRequest['inputs']): ColumnValue[] {
  const { columns } = program;
  if (layout === 'matrix') {
    const names = columns.map((column) => `${column.name} (${describe(column)})`);
    const description = `Columns in this order: ${names.join(', ')}`;
    const matrix = graph.input({ name: MATRIX, type: 'double', dims: [ROWS, columns.length], description });
    return columns.map((column, j) => ({
      column,
      value: graph.columns(matrix, [j], columns.length),
      isText: false,
    }));
  }
  return columns.map((column, j) => {
    const text = isText(program, j);
    const value = graph.input({
      name: column.name,
      type: text ? 'string' : 'double',
      dims: [ROWS, 1],
      description: describe(column),
    });
    return { column, value, isText: text };
  });
}

function describe({ kind, required }: InputColumn): string {
  const missing = required
    ? ''
    : kind === 'number' || kind === 'date'
      ? '; NaN is missing'
      : '; "" is missing';
  if (kind === 'date') return `days since 1970-01-01, with the time as a fraction${missing}`;
  if (kind === 'boolean') return `yes or no, in any usual spelling${missing}`;
  return `${kind}${missing}`;
}

/** The inputs [rows, inputs] of the network of a part. */
export function encode(graph: Graph, { encodings }: Part, values: readonly ColumnValue[]): string {
  // Pieces of columns; where each input is among them.
  const pieces: string[] = [];
  const places: number[][] = encodings.map(() => []);
  let width = 0;
  const add = (piece: string, columns: number) => {
    pieces.push(piece);
    width += columns;
    return width - columns;
  };
  const numbers = encodings.flatMap((encoding, i) => (encoding.kind === 'number' ? [{ encoding, i }] : []));
  if (numbers.length > 0) {
    const found = encodeNumbers(
      graph,
      numbers.map(({ encoding }) => encoding),
      values,
    );
    const scaled = add(found.scaled, numbers.length);
    const levels = found.levels.map((piece) => (piece === undefined ? undefined : add(piece, 1)));
    const marks = found.marks === undefined ? 0 : add(found.marks, numbers.length);
    numbers.forEach(({ encoding, i }, j) => {
      places[i].push(scaled + j);
      const level = levels[j];
      if (level !== undefined) places[i].push(level);
      if (encoding.marks) places[i].push(marks + j);
    });
  }
  encodings.forEach((encoding, i) => {
    if (encoding.kind === 'number') return;
    for (const { piece, columns } of encodeOther(graph, encoding, values[encoding.column])) {
      const first = add(piece, columns);
      for (let j = 0; j < columns; j++) places[i].push(first + j);
    }
  });
  return graph.columns(graph.concat(pieces), places.flat(), width);
}

/** Numbers are encoded side by side: a few nodes for all of them. */
function encodeNumbers(graph: Graph, encodings: readonly Of<'number'>[], values: readonly ColumnValue[]) {
  const columns = encodings.map(({ column }) => values[column]);
  const given = graph.concat(columns.map(({ value }) => value));
  const x = withGaps(
    graph,
    given,
    columns.map(({ column }) => column.missingNumbers),
  );
  const isMissing = graph.node('IsNaN', [x]);
  const fills = encodings.map(({ fill = Number.NaN }) => fill);
  const filled = graph.node('Where', [isMissing, graph.numbers('fill', 'double', fills), x]);
  const scaled = scale(
    graph,
    filled,
    encodings.map((encoding) =>
      encoding.zero ? { ...encoding, scale: Number.POSITIVE_INFINITY } : encoding,
    ),
  );
  const levels = encodings.map(({ levels }, j) => {
    if (!levels) return undefined;
    const isLevel = graph.node('Equal', [
      graph.columns(x, [j], encodings.length),
      graph.numbers('levels', 'double', levels),
    ]);
    return numberOf(graph, isLevel, levels.length);
  });
  const marks = encodings.some((encoding) => encoding.marks)
    ? chosen(
        graph,
        isMissing,
        encodings.map((encoding) => encoding.marks?.[1] ?? 0),
        encodings.map((encoding) => encoding.marks?.[0] ?? 0),
      )
    : undefined;
  return { scaled: real(graph, scaled), levels, marks };
}

/** x [rows, n] with NaN for the numbers that mean a missing cell. */
function withGaps(graph: Graph, x: string, missing: readonly (readonly number[])[]): string {
  const most = Math.max(...missing.map(({ length }) => length));
  let y = x;
  for (let k = 0; k < most; k++) {
    // Nothing equals NaN.
    const numbers = missing.map((own) => own[k] ?? Number.NaN);
    const isGap = graph.node('Equal', [y, graph.numbers('missing', 'double', numbers)]);
    y = graph.node('Where', [isGap, graph.numbers('gap', 'double', [Number.NaN]), y]);
  }
  return y;
}

/** A clip that changes nothing: z/10³⁰⁰ squared is 0. */
const NO_CLIP = 1e300;
/** As `clipped` in src/data/scaling.ts. */
const CLIP_LIMIT = 2 ** 30;

/** z = (x − shift)/scale of each column, in double, and its smooth clip. */
function scale(graph: Graph, x: string, scales: readonly Scale[]): string {
  const row = (name: string, of: (scale: Scale) => number) => graph.numbers(name, 'double', scales.map(of));
  const shifted = graph.node('Sub', [x, row('shift', ({ shift }) => shift)]);
  const z = graph.node('Div', [shifted, row('scale', (own) => own.scale)]);
  if (scales.every(({ clip }) => clip === undefined)) return z;
  const clips = row('clip', ({ clip = NO_CLIP }) => clip);
  const limits = row('limit', ({ clip = NO_CLIP }) => clip * CLIP_LIMIT);
  const bounded = graph.node('Max', [graph.node('Min', [z, limits]), graph.node('Neg', [limits])]);
  const ratio = graph.node('Div', [bounded, clips]);
  const one = graph.numbers('one', 'double', [1]);
  const root = graph.node('Sqrt', [graph.node('Add', [one, graph.node('Mul', [ratio, ratio])])]);
  return graph.node('Div', [bounded, root]);
}

/** In the type of the network. */
function real(graph: Graph, value: string): string {
  return graph.real === 'double' ? value : graph.cast(value, 'float');
}

/** [rows, n] For each column one of two numbers. */
function chosen(graph: Graph, condition: string, yes: readonly number[], no: readonly number[]): string {
  const isPlain = yes.every((value) => value === 1) && no.every((value) => value === 0);
  if (isPlain) return graph.cast(condition, graph.real);
  return graph.node('Where', [
    condition,
    graph.numbers('yes', graph.real, yes),
    graph.numbers('no', graph.real, no),
  ]);
}

/** [rows, 1] The number from 1 of the only column [rows, n] that is true; 0 if none is. */
function numberOf(graph: Graph, condition: string, columns: number): string {
  const places = Array.from({ length: columns }, (_, i) => i + 1);
  const weights = graph.numbers('places', graph.real, places, [columns, 1]);
  return graph.node('MatMul', [graph.cast(condition, graph.real), weights]);
}

interface Piece {
  readonly piece: string;
  readonly columns: number;
}

function encodeOther(graph: Graph, encoding: Exclude<Encoding, Of<'number'>>, value: ColumnValue): Piece[] {
  switch (encoding.kind) {
    case 'category':
      return value.isText ? encodeText(graph, encoding, value) : encodeByValue(graph, encoding, value);
    case 'boolean': {
      const said = Array.from(BOOLEAN_WORDS, ([word, isYes]) => [word, isYes ? 1 : 0] as const);
      const spellings = said.flatMap(([word, code]) => inAnyCase(word).map((text) => [text, code] as const));
      const code = lookUp(graph, value, spellings, { missing: 3, other: 2 });
      const { no, yes, other, missing } = encoding;
      return [
        { piece: fromTable(graph, code, [no, yes, other, missing]), columns: 1 },
        ...marksOf(graph, encoding, () => equals(graph, code, 3)),
      ];
    }
    case 'date':
      return encodeDate(graph, encoding, value.value);
    case 'constant':
      return marksOf(graph, encoding, () =>
        value.isText
          ? equals(graph, lookUp(graph, value, [], { missing: 1, other: 0 }), 1)
          : graph.node('IsNaN', [value.value]),
      );
  }
}

function marksOf(graph: Graph, { marks }: Encoding, isMissing: () => string): Piece[] {
  if (!marks) return [];
  return [{ piece: chosen(graph, isMissing(), [marks[1]], [marks[0]]), columns: 1 }];
}

function equals(graph: Graph, code: string, number: number): string {
  return graph.node('Equal', [code, graph.numbers('code', 'int64', [number])]);
}

/** [rows, 1] int64: the codes of texts, of those that mean a missing cell, and of all others. */
function lookUp(
  graph: Graph,
  { value, column }: ColumnValue,
  codes: readonly (readonly [text: string, code: number])[],
  { missing, other }: { readonly missing: number; readonly other: number },
): string {
  // A level wins over a text that would mean a missing cell.
  const all = new Map([...column.missing.map((text) => [text, missing] as const), ...codes]);
  const attributes = {
    keys_strings: { strings: [...all.keys()] },
    values_int64s: { ints: [...all.values()] },
    default_int64: { int: other },
  };
  return graph.node('LabelEncoder', [value], attributes, { domain: ML });
}

/** [rows, 1] The number of a table for each code. */
function fromTable(graph: Graph, code: string, table: readonly number[]): string {
  return graph.node('Gather', [graph.numbers('table', graph.real, table, [table.length]), code]);
}

function encodeText(graph: Graph, encoding: Of<'category'>, value: ColumnValue): Piece[] {
  const { levels, inputs, fill } = encoding;
  // 0 for no level, the levels from 1 on; a missing cell is the level that fills it, or has a code.
  const missing = levels.length + 1;
  const codes = levels.map((level, i) => [level, i + 1] as const);
  const code = lookUp(graph, value, codes, { missing: fill === undefined ? missing : fill + 1, other: 0 });
  const marks = marksOf(graph, encoding, () => equals(graph, code, missing));
  if (inputs.kind === 'single') {
    return [
      { piece: fromTable(graph, code, [inputs.none, ...inputs.values, inputs.none]), columns: 1 },
      ...marks,
    ];
  }
  const places = graph.numbers(
    'places',
    'int64',
    levels.map((_, i) => i + 1),
  );
  const isLevel = graph.node('Equal', [code, places]);
  return [{ piece: chosen(graph, isLevel, inputs.on, inputs.off), columns: levels.length }, ...marks];
}

/** Levels that are numbers, compared as such. */
function encodeByValue(graph: Graph, encoding: Of<'category'>, { value }: ColumnValue): Piece[] {
  const { levels, inputs, fill } = encoding;
  const numbers = levels.map(Number);
  const isMissing = graph.node('IsNaN', [value]);
  const filled =
    fill === undefined
      ? value
      : graph.node('Where', [isMissing, graph.numbers('fill', 'double', [numbers[fill]]), value]);
  const isLevel = graph.node('Equal', [filled, graph.numbers('levels', 'double', numbers)]);
  const marks = marksOf(graph, encoding, () => isMissing);
  if (inputs.kind === 'one-hot') {
    return [{ piece: chosen(graph, isLevel, inputs.on, inputs.off), columns: levels.length }, ...marks];
  }
  const code = graph.cast(numberOf(graph, isLevel, levels.length), 'int64');
  return [{ piece: fromTable(graph, code, [inputs.none, ...inputs.values]), columns: 1 }, ...marks];
}

function encodeDate(graph: Graph, encoding: Of<'date'>, days: string): Piece[] {
  const { inputs } = encoding;
  const isMissing = graph.node('IsNaN', [days]);
  const marks = marksOf(graph, encoding, () => isMissing);
  if (inputs.length === 0) return marks;
  const parts = dateParts(graph, days);
  const x = graph.concat(inputs.map((input) => wave(graph, parts[input.part](), input)));
  const fills = graph.numbers(
    'fill',
    'double',
    inputs.map(({ fill = Number.NaN }) => fill),
  );
  const filled = graph.node('Where', [graph.node('IsNaN', [x]), fills, x]);
  return [{ piece: real(graph, scale(graph, filled, inputs)), columns: inputs.length }, ...marks];
}

function wave(graph: Graph, part: string, { wave, period = 1 }: DateInput): string {
  if (wave === undefined) return part;
  const turn = graph.numbers('turn', 'double', [2 * Math.PI]);
  const angle = graph.node('Div', [
    graph.node('Mul', [turn, part]),
    graph.numbers('period', 'double', [period]),
  ]);
  return graph.node(wave === 'sine' ? 'Sin' : 'Cos', [angle]);
}
