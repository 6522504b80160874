/**
 * A model as one C99 file: no allocation, nothing but the C library's mathematics. Cells are fields of a
 * struct: numbers, dates and yes or no as doubles, other text as strings.
 */
import { formatBytes, printable, quote } from '../../text.js';
import {
  computeProgram,
  countElements,
  type Exported,
  type ExportRequest,
  type Format,
  impossible,
} from '../format.js';
import type { Part, Program, Unit } from '../program.js';
import { encodeText, fieldsOf } from './encoding.js';
import { FUNCTIONS } from './functions.js';
import { number, text } from './literals.js';
import { NetworkText } from './network.js';

/** Of weights: a compiler would take hours for more. */
const MOST_ELEMENTS = 20_000_000;

export const c: Format = {
  endings: ['.c'],
  write(request): Exported {
    const { program, ending } = request;
    const elements = countElements(program);
    if (elements > MOST_ELEMENTS) {
      throw impossible(
        'c',
        `found weights of ${formatBytes(4 * elements)} as numbers in a source file, expected at most ${formatBytes(4 * MOST_ELEMENTS)}`,
        'onnx takes larger networks',
      );
    }
    // Of an ensemble, whose members read a column as words and as levels.
    const mixed = program.parts
      .flatMap(({ encodings }) => encodings)
      .find(({ kind, column }) => kind === 'boolean' && program.columns[column].kind === 'text');
    if (mixed) {
      throw impossible(
        'c',
        `found the column ${quote(program.columns[mixed.column].name)} read as yes and no by one member, and as levels by another`,
        'export the members one by one',
      );
    }
    return {
      files: [{ ending, parts: fileOf(request) }],
      compute: computeProgram(program),
      checkedBy: 'the steps that the file takes (the file itself needs a compiler)',
    };
  },
};

function* fileOf({ program, title, facts }: ExportRequest): Generator<string> {
  const { columns, parts, output, dtype } = program;
  const fields = fieldsOf(program);
  const width = widthOf(program);
  yield `/* ${comment(title)}\n *\n`;
  for (const [key, value] of facts) yield ` * ${comment(`${key}: ${value}`)}\n`;
  yield ` *\n * C99, without allocation. Compile with -lm, and -ffp-contract=off against fused sums.\n */\n`;
  yield '#include <math.h>\n#include <stddef.h>\n#include <string.h>\n\n';
  yield `typedef ${dtype === 'float32' ? 'float' : 'double'} real;\n\n/* The cells of a row. */\ntypedef struct {\n`;
  for (const [j, { name, kind, required }] of columns.entries()) {
    const { field, isText } = fields[j];
    const what =
      kind === 'date' ? 'days since 1970-01-01' : kind === 'boolean' ? '1 for yes, 0 for no' : 'a number';
    const missing = required ? '' : isText ? '; NULL or "" is missing' : '; NAN is missing';
    yield `  ${isText ? 'const char *' : 'double '}${field}; /* ${comment(`${quote(name)}: ${isText ? 'text' : what}`)}${missing} */\n`;
  }
  yield `} mlp_row;\n\n`;
  yield* outputText(program, width);
  yield `/*\n * Predicts a row: ${describe(output)}.\n * Returns 0, or -1 for a missing cell that must be there, or a result that is not finite.\n */\n`;
  yield `int mlp_predict(const mlp_row *row, double p[${width}]);\n\n`;
  const body = [...parts.entries()].flatMap(([i, part]) => [...partText(part, i, program, fields, width)]);
  const used = body.join('');
  for (const [name, source] of Object.entries(FUNCTIONS)) {
    if (isUsed(name, used)) yield `${typed(source, dtype)}\n`;
  }
  yield* body;
  yield* predictText(program, width);
}

/** Whether a function is used, by the code or by another function that is. */
function isUsed(name: string, code: string): boolean {
  if (names(code, name)) return true;
  return Object.entries(FUNCTIONS).some(
    ([other, source]) => other !== name && names(source, name) && names(code, other),
  );
}

/** Whether a function is called, or passed on. */
function names(code: string, name: string): boolean {
  return new RegExp(`\\b${name}\\(|, ${name},`).test(code);
}

/** Functions of C's library for the type of the network: `expf` for floats. */
export function typed(source: string, dtype: Program['dtype']): string {
  return source.replace(/\bR_(\w+)/g, dtype === 'float32' ? '$1f' : '$1');
}

function comment(value: string): string {
  return printable(value).replaceAll('*/', '* /').replaceAll('/*', '/ *');
}

/** How many numbers a prediction is. */
function widthOf({ output }: Program): number {
  switch (output.kind) {
    case 'classes':
      return output.classes.length;
    case 'quantiles':
      return output.quantiles.length;
    default:
      return output.targets.length;
  }
}

function describe(output: Program['output']): string {
  switch (output.kind) {
    case 'classes':
      return 'p are the probabilities of mlp_classes, and mlp_class(p) is the number of the likeliest';
    case 'labels':
      return 'p are the probabilities of the second of mlp_values of each target';
    case 'quantiles':
      return `p are the quantiles ${output.quantiles.join(', ')}; p[${output.middle}] is the prediction`;
    case 'numbers':
      return `p are the values of ${comment(output.targets.map(quote).join(', '))}`;
  }
}

function* outputText({ output }: Program, width: number): Generator<string> {
  if (output.kind === 'classes') {
    yield `const char *const mlp_classes[${width}] = {${output.classes.map(text).join(', ')}};\n\n`;
    yield `/* The first of the largest. */\nint mlp_class(const double p[${width}]) {\n  int best = 0;\n`;
    yield `  for (int j = 1; j < ${width}; j++)\n    if (p[j] > p[best]) best = j;\n  return best;\n}\n\n`;
  }
  if (output.kind === 'labels') {
    const pairs = output.values.map((pair) => `{${pair.map(text).join(', ')}}`);
    yield `const char *const mlp_values[${width}][2] = {${pairs.join(', ')}};\n\n`;
  }
}

function* partText(
  part: Part,
  i: number,
  program: Program,
  fields: ReturnType<typeof fieldsOf>,
  width: number,
): Generator<string> {
  const network = new NetworkText(part, i);
  const functions = [...network.functions()].join('');
  yield* network.tensors(functions);
  yield* encodeText(part, i, program, fields);
  yield functions;
  const { members, outputs, inputs, units = [] } = part;
  const { kind } = program.output;
  yield `/* What ${program.parts.length > 1 ? `member ${i + 1} of the ensemble` : 'the network'} predicts. */\n`;
  yield `static int predict_${i}(const mlp_row *row, double p[${width}]) {\n  real x[${Math.max(1, inputs)}], h[${outputs}];\n`;
  yield `  if (encode_${i}(row, x)) return -1;\n`;
  if (part.shared.length > 0) yield `  real s[${network.sharedWidth}];\n  shared_${i}(x, s);\n`;
  yield `  for (int j = 0; j < ${width}; j++) p[j] = 0;\n`;
  const input = part.shared.length > 0 ? 's' : 'x';
  for (const m of members.keys()) {
    yield `  member_${i}_${m}(${input}, h);\n`;
    if (kind === 'classes')
      yield outputs > 1
        ? `  add_softmax(h, p, ${outputs});\n`
        : '  p[0] += sigmoid_of(-h[0]), p[1] += sigmoid_of(h[0]);\n';
    else
      yield `  for (int j = 0; j < ${outputs}; j++) p[j] += ${kind === 'labels' ? 'sigmoid_of(h[j])' : 'h[j]'};\n`;
  }
  if (members.length > 1) yield `  for (int j = 0; j < ${width}; j++) p[j] /= ${members.length};\n`;
  if (kind === 'quantiles') yield `  sort(p, ${width});\n`;
  for (const [j, unit] of units.entries()) yield* unitText(unit, j);
  yield '  return 0;\n}\n\n';
}

function* unitText({ link, mean = 0, scale, inverse, range }: Unit, j: number): Generator<string> {
  if (link) yield `  p[${j}] = exp(p[${j}]);\n`;
  if (scale !== undefined) yield `  p[${j}] = ${number(scale)} * p[${j}] + ${number(mean)};\n`;
  if (inverse) yield `  p[${j}] = ${inverse}(p[${j}]);\n`;
  if (range) yield `  p[${j}] = fmin(fmax(p[${j}], ${number(range[0])}), ${number(range[1])});\n`;
}

function* predictText({ parts }: Program, width: number): Generator<string> {
  yield `int mlp_predict(const mlp_row *row, double p[${width}]) {\n`;
  if (parts.length === 1) yield '  if (predict_0(row, p)) return -1;\n';
  else {
    const total = parts.reduce((sum, { weight }) => sum + weight, 0);
    yield `  double own[${width}];\n  for (int j = 0; j < ${width}; j++) p[j] = 0;\n`;
    for (const [i, { weight }] of parts.entries()) {
      yield `  if (predict_${i}(row, own)) return -1;\n  for (int j = 0; j < ${width}; j++) p[j] += ${number(weight)} * own[j] / ${number(total)};\n`;
    }
  }
  yield `  for (int j = 0; j < ${width}; j++)\n    if (!isfinite(p[j])) return -1;\n  return 0;\n}\n`;
}
