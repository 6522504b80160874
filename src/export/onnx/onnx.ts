/**
 * A model as ONNX: opset 17 with ai.onnx.ml 2, which onnxruntime 1.12 and later run. The graph takes raw
 * cells, one input [rows, 1] for each column: numbers and dates as doubles, other text as strings.
 */
import { parseDate } from '../../data/dates.js';
import type { FloatArray } from '../../kernels/kernels.js';
import { formatBytes, quote } from '../../text.js';
import { version } from '../../version.js';
import type { Computation } from '../check.js';
import { type Exported, type Format, impossible } from '../format.js';
import type { Cell, Row } from '../js/cells.js';
import type { Predicted } from '../js/runtime.js';
import { allSteps, type InputColumn, isText, type Program } from '../program.js';
import type { Tensor } from './evaluate.js';
import { encodeModel } from './file.js';
import { Graph } from './graph.js';
import { addInputs, encode, MATRIX } from './inputs.js';
import { type LoadedGraph, loadGraph } from './load.js';
import { NetworkNodes } from './network.js';
import { addOutputs } from './outputs.js';

/** The input of the network alone. */
const RAW = 'x';
/** From so many columns of numbers on, a matrix is the default: nobody wants 784 inputs. */
const MANY_COLUMNS = 100;
/** Protocol Buffers has no larger messages. */
const MOST_BYTES = 2 ** 31 - 1;

export const onnx: Format = {
  endings: ['.onnx'],
  write(request): Exported {
    const { program, title, facts } = request;
    const layout = request.raw ? 'raw' : (request.inputs ?? usualLayout(program));
    requireLayout(program, layout);
    const graph = graphOf(program, layout);
    const columns: readonly (readonly [string, string])[] =
      layout === 'raw' ? [] : [['columns', JSON.stringify(program.columns.map(({ name }) => name))]];
    const model = encodeModel(graph, {
      version: version(),
      description: title,
      metadata: [...facts, ...columns],
    });
    if (model.size > MOST_BYTES) {
      throw impossible(
        'onnx',
        `found a model of ${formatBytes(model.size)}, expected less than 2 GB, the most that a file of Protocol Buffers holds`,
        'npz takes larger networks',
      );
    }
    return {
      files: [{ ending: request.ending, parts: model.parts, isBinary: true }],
      compute: computeGraph(model.parts, program, layout),
      checkedBy: 'the nodes of the file, run by plain loops (not by onnxruntime)',
      notes: notesOf(program, layout),
    };
  },
};

type Layout = 'columns' | 'matrix' | 'raw';

function usualLayout(program: Program): Layout {
  const { columns } = program;
  return columns.length > MANY_COLUMNS && columns.every((_, j) => !isText(program, j)) ? 'matrix' : 'columns';
}

/** @throws MlpError ExitCode.usage for text in a matrix of numbers, or several networks where one is wanted */
function requireLayout(program: Program, layout: Layout): void {
  const { columns, parts } = program;
  if (layout === 'raw' && parts.length > 1) {
    throw impossible(
      'onnx',
      `--raw: found an ensemble of ${parts.length} models, expected one model: each has inputs of its own`,
      'leave out --raw, or export the members one by one',
    );
  }
  const text = columns.findIndex((_, j) => isText(program, j));
  if (layout === 'matrix' && text >= 0) {
    throw impossible(
      'onnx',
      `--inputs matrix: found the column ${quote(columns[text].name)} of text, expected numbers alone`,
      'take --inputs columns',
    );
  }
}

function graphOf(program: Program, layout: Layout): Graph {
  const { parts, dtype } = program;
  const graph = new Graph(dtype === 'float32' ? 'float' : 'double');
  const values = layout === 'raw' ? [] : addInputs(graph, program, layout);
  const members = parts.map((part, i) => {
    const x =
      layout === 'raw'
        ? graph.input({ name: RAW, type: graph.real, dims: ['rows', part.inputs] })
        : encode(graph, part, values);
    return new NetworkNodes(graph, part, prefixFor(program, i)).members(x);
  });
  addOutputs(graph, program, members, layout === 'raw');
  return graph;
}

/** What stands before the names of the tensors of a part, which no column may have. */
function prefixFor({ columns, parts }: Program, i: number): string {
  const prefix = parts.length > 1 ? `member-${i + 1}.` : '';
  const isTaken = columns.some(({ name }) => /^(?:layers|members|member-\d+)\./.test(name));
  return isTaken ? `network.${prefix}` : prefix;
}

function notesOf({ columns, parts, dtype }: Program, layout: Layout): string[] {
  const dates = columns.filter(({ kind }) => kind === 'date').map(({ name }) => quote(name));
  const hasGelu = parts.some((part) =>
    [...allSteps(part)].some((step) => step.op === 'activation' && step.type === 'gelu'),
  );
  return [
    ...(layout !== 'raw' && dates.length > 0
      ? [`dates (${dates.join(', ')}) are numbers there: days since 1970-01-01, with the time as a fraction`]
      : []),
    ...(dtype === 'float64' && hasGelu
      ? ['gelu is computed in float32 there, because onnxruntime has no other Erf']
      : []),
  ];
}

/** Reads the bytes of the file, and runs its nodes. */
function computeGraph(parts: readonly Uint8Array[], program: Program, layout: Layout): Computation {
  let graph: LoadedGraph | undefined;
  return ({ rows, inputs }) => {
    graph ??= loadGraph(Buffer.concat(parts));
    const given =
      layout === 'raw' ? rawInput(inputs, rows.length, program) : inputTensors(rows, program, layout);
    return predictedOf(graph.run(given), rows.length, program);
  };
}

function rawInput(x: FloatArray, rows: number, { dtype }: Program): Map<string, Tensor> {
  const type = dtype === 'float32' ? 'float' : 'double';
  return new Map([[RAW, { type, dims: [rows, x.length / rows], data: x }]]);
}

/** Rows as the graph takes them. */
export function inputTensors(
  rows: readonly Row[],
  program: Program,
  layout: 'columns' | 'matrix',
): Map<string, Tensor> {
  const { columns } = program;
  if (layout === 'matrix') {
    const data = rows.flatMap((row) => columns.map((column) => numberOf(row[column.name], column)));
    return new Map([
      [MATRIX, { type: 'double', dims: [rows.length, columns.length], data: Float64Array.from(data) }],
    ]);
  }
  return new Map(
    columns.map((column, j): [string, Tensor] => {
      const cells = rows.map((row) => row[column.name]);
      const dims = [rows.length, 1];
      if (isText(program, j)) {
        return [column.name, { type: 'string', dims, data: cells.map((cell) => String(cell ?? '')) }];
      }
      const data = Float64Array.from(cells, (cell) => numberOf(cell, column));
      return [column.name, { type: 'double', dims, data }];
    }),
  );
}

const MILLISECONDS_A_DAY = 86_400_000;

function numberOf(cell: Cell, { kind, order = 'ymd', anything }: InputColumn): number {
  if (cell === null || cell === undefined) return Number.NaN;
  if (kind !== 'date') {
    const number = Number(cell);
    // Whatever it is, it is not missing.
    return anything && Number.isNaN(number) ? 0 : number;
  }
  const moment = parseDate(String(cell), order);
  if (moment === undefined) return Number.NaN;
  const { year, month, day, hour } = moment;
  return new Date(0).setUTCFullYear(year, month - 1, day) / MILLISECONDS_A_DAY + hour / 24;
}

/** The outputs of a graph as predictions of rows. */
export function predictedOf(
  outputs: ReadonlyMap<string, Pick<Tensor, 'data'>>,
  rows: number,
  { output }: Program,
): Predicted[] {
  const name = {
    classes: 'probabilities',
    labels: 'probabilities',
    quantiles: 'quantiles',
    numbers: 'prediction',
  }[output.kind];
  const find = (own: string) => outputs.get(`output_${own}`) ?? outputs.get(own);
  const numbers = find(name)?.data as FloatArray;
  const labels = find('label')?.data as readonly string[] | undefined;
  const width = numbers.length / rows;
  return Array.from({ length: rows }, (_, row) => {
    const own = Float64Array.from(numbers.subarray(row * width, (row + 1) * width));
    if (!labels || (output.kind !== 'classes' && output.kind !== 'labels'))
      return { numbers: own, decided: [] };
    const decided =
      output.kind === 'classes'
        ? [output.classes.indexOf(labels[row])]
        : output.values.map((pair, j) => pair.indexOf(labels[row * width + j]));
    return { numbers: own, decided };
  });
}
