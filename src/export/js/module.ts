/** A model as one ES module without dependencies, and its types. */
import { readFileSync } from 'node:fs';
import { formatBytes, printable } from '../../text.js';
import type { Computation } from '../check.js';
import {
  countElements,
  type Exported,
  type ExportRequest,
  type Format,
  impossible,
  plainProgram,
} from '../format.js';
import type { Part, Program } from '../program.js';
import type { Row } from './cells.js';
import type { Predicted } from './runtime.js';

/** The runtime in one file: the build makes it of runtime.ts and what that imports. */
const RUNTIME = new URL(
  import.meta.url.endsWith('.ts') ? '../../../dist/export/js/runtime.js' : './runtime.js',
  import.meta.url,
);

/** A text of more characters is none in V8, and these are base64. */
const MOST_BYTES = 2 ** 28;

export const javascript: Format = {
  endings: ['.mjs', '.js'],
  write(request): Exported {
    const { program } = request;
    const bytes = countElements(program) * (program.dtype === 'float32' ? 4 : 8);
    if (bytes > MOST_BYTES) {
      throw impossible(
        'js',
        `found weights of ${formatBytes(bytes)}, expected at most ${formatBytes(MOST_BYTES)}`,
        'onnx takes larger networks',
      );
    }
    const text = [...moduleOf(request)];
    return {
      files: [
        { ending: request.ending, parts: text },
        { ending: request.ending === '.mjs' ? '.d.mts' : '.d.ts', parts: typesOf(request) },
      ],
      compute: computeModule(text, program),
      checkedBy: 'the module itself',
    };
  },
};

function* moduleOf({ program, title, facts }: ExportRequest): Generator<string> {
  const [runtime] = readFileSync(RUNTIME, 'utf8').split(/^export \{/m);
  yield `// ${title}\n`;
  for (const [key, value] of facts) yield `// ${comment(`${key}: ${value}`)}\n`;
  yield '// predict({ column: value, … }) gives what mlp predict --json prints; null is a missing cell.\n\n';
  yield runtime;
  yield* programText(program);
  yield 'function decode(text, Real) {\n';
  yield '  return new Real(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)).buffer);\n}\n\n';
  yield 'function tensors(lengths, data) {\n  let start = 0;\n';
  yield '  return new Map(lengths.map(([name, length]) => [name, data.subarray(start, (start += length))]));\n}\n\n';
  yield 'const PREDICTOR = createPredictor(PROGRAM, [\n';
  for (const part of program.parts) yield* weightsOf(part);
  yield ']);\n\n';
  yield `/** The columns that a row needs. */\nexport const columns = ${literal(program.columns.map(({ name }) => name))};\n\n`;
  yield '/** Predicts a row. Throws an Error if a column is missing, or cannot hold its cell. */\n';
  yield 'export function predict(row) {\n  return PREDICTOR.predict(row);\n}\n\n';
  yield 'export function predictBatch(rows) {\n  return rows.map(predict);\n}\n';
}

/** The lists of texts that mean a missing cell are the same for most columns: each is written once. */
function* programText(program: Program): Generator<string> {
  const { columns, ...rest } = plainProgram(program);
  const lists = [...new Set(columns.map(({ missing }) => literal(missing)))];
  yield `\nconst MISSING = [\n${lists.map((list) => `  ${list},\n`).join('')}];\n\nconst COLUMNS = [\n`;
  for (const { missing, ...column } of columns) {
    const list = lists.indexOf(literal(missing));
    yield `  { ...${literal(column)}, missing: MISSING[${list}] },\n`;
  }
  yield `];\n\nconst PROGRAM = { columns: COLUMNS, ...${literal(rest)} };\n\n`;
}

function* weightsOf({ tensors, dtype }: Part): Generator<string> {
  const lengths = Array.from(tensors, ([name, { length }]) => [name, length]);
  const real = dtype === 'float32' ? 'Float32Array' : 'Float64Array';
  const bytes = Buffer.concat(
    Array.from(tensors.values(), ({ buffer, byteOffset, byteLength }) =>
      Buffer.from(buffer, byteOffset, byteLength),
    ),
  );
  yield `  tensors(${literal(lengths)}, decode(\n    '`;
  yield bytes.toString('base64');
  yield `',\n    ${real},\n  )),\n`;
}

/** A value as JavaScript writes it, without marks that turn a line round. */
function literal(value: unknown): string {
  return printable(JSON.stringify(value));
}

/** Text that ends no comment. */
function comment(text: string): string {
  return printable(text).replaceAll('*/', '*\\/');
}

function* typesOf({ program }: ExportRequest): Generator<string> {
  const { columns, output } = program;
  yield '/** A cell by the name of its column. Null, undefined and NaN are missing. */\nexport interface Row {\n';
  for (const { name, kind, required } of columns) {
    const own =
      kind === 'number' ? 'number | string' : kind === 'date' ? 'string' : 'string | number | boolean';
    yield `  readonly ${literal(name)}: ${own}${required ? '' : ' | null | undefined'};\n`;
  }
  yield '}\n\nexport interface Prediction {\n';
  for (const [key, type] of predictionTypes(output)) yield `  readonly ${key}: ${type};\n`;
  yield '}\n\n/** The columns that a row needs. */\nexport declare const columns: readonly (keyof Row)[];\n';
  yield '/** Throws an Error if a column is missing, or cannot hold its cell. */\n';
  yield 'export declare function predict(row: Row): Prediction;\n';
  yield 'export declare function predictBatch(rows: readonly Row[]): Prediction[];\n';
}

function predictionTypes(output: Program['output']): [key: string, type: string][] {
  const union = (names: readonly string[]) => names.map((name) => literal(name)).join(' | ');
  const numbers = (names: readonly string[]) => `Readonly<Record<${union(names)}, number>>`;
  switch (output.kind) {
    case 'classes':
      return [
        ['prediction', union(output.classes)],
        ['probabilities', numbers(output.classes)],
      ];
    case 'labels':
      return [
        [
          'predictions',
          `{ ${output.targets.map((name, j) => `readonly ${literal(name)}: ${union(output.values[j])}`).join('; ')} }`,
        ],
        ['probabilities', numbers(output.targets)],
      ];
    case 'quantiles':
      return [
        ['prediction', 'number'],
        ['quantiles', numbers(output.quantiles.map(String))],
      ];
    case 'numbers':
      return output.targets.length === 1
        ? [['prediction', 'number']]
        : [['predictions', numbers(output.targets)]];
  }
}

interface Module {
  predictBatch(rows: readonly Row[]): Record<string, unknown>[];
}

/** Imports the text of the module, as a browser would. */
function computeModule(text: readonly string[], { output }: Program): Computation {
  let module: Module | undefined;
  return async ({ rows }) => {
    // A name for the traces of errors, which would show the whole address.
    const named = () => Buffer.from(`${text.join('')}//# sourceURL=exported.mjs\n`);
    const address = () => `data:text/javascript;base64,${named().toString('base64')}`;
    module ??= (await import(/* @vite-ignore */ address())) as Module;
    return module.predictBatch(rows).map((prediction) => numbersOf(prediction, output));
  };
}

/** The numbers of a prediction, by the names in it. */
export function numbersOf(prediction: Record<string, unknown>, output: Program['output']): Predicted {
  const named = (key: string, names: readonly string[]) => {
    const values = prediction[key] as Record<string, number>;
    return Float64Array.from(names, (name) => values[name]);
  };
  switch (output.kind) {
    case 'classes': {
      const decided = [output.classes.indexOf(prediction.prediction as string)];
      return { numbers: named('probabilities', output.classes), decided };
    }
    case 'labels': {
      const labels = prediction.predictions as Record<string, string>;
      const decided = output.targets.map((name, j) => output.values[j].indexOf(labels[name]));
      return { numbers: named('probabilities', output.targets), decided };
    }
    case 'quantiles':
      return { numbers: named('quantiles', output.quantiles.map(String)), decided: [] };
    case 'numbers':
      if (output.targets.length > 1) return { numbers: named('predictions', output.targets), decided: [] };
      return { numbers: Float64Array.of(prediction.prediction as number), decided: [] };
  }
}
