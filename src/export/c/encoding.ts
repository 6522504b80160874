/** The fields of a row, and the function that makes inputs of the network of them. */
import type { DatePart } from '../../spec/words.js';
import { type Encoding, type InputColumn, isText, type Part, type Program } from '../program.js';
import { array, number, strings } from './literals.js';

export interface Field {
  /** The name of the column as C can write it. */
  readonly field: string;
  readonly isText: boolean;
}

const KEYWORDS =
  /^(?:auto|break|case|char|const|continue|default|do|double|else|enum|extern|float|for|goto|if|inline|int|long|register|restrict|return|short|signed|sizeof|static|struct|switch|typedef|union|unsigned|void|volatile|while|real)$/;

export function fieldsOf(program: Program): Field[] {
  const taken = new Set<string>();
  return program.columns.map(({ name, kind }, j) => {
    const plain = name.replaceAll(/[^A-Za-z0-9_]+/g, '_').replace(/^(?=[0-9]|$)/, 'c');
    const safe = KEYWORDS.test(plain) ? `${plain}_` : plain;
    let field = safe;
    for (let n = 2; taken.has(field); n++) field = `${safe}_${n}`;
    taken.add(field);
    return { field, isText: kind !== 'boolean' && isText(program, j) };
  });
}

/** `encode_0(row, x)`: returns −1 for a missing cell that must be there. */
export function* encodeText(
  part: Part,
  i: number,
  { columns }: Program,
  fields: readonly Field[],
): Generator<string> {
  const { encodings, inputs } = part;
  const lists = [...new Set(columns.map(({ missing }) => JSON.stringify(missing)))];
  const body: string[] = [];
  for (const [e, encoding] of encodings.entries()) {
    const column = columns[encoding.column];
    const { field, isText } = fields[encoding.column];
    const name = `${field}_${i}_${e}`;
    const missing = `missing_${i}_${lists.indexOf(JSON.stringify(column.missing))}`;
    const writer = new CellText(encoding, column, `row->${field}`, isText, name, missing);
    yield* writer.tables();
    body.push(...writer.lines());
  }
  const text = body.join('');
  for (const [l, list] of lists.entries()) {
    const name = `missing_${i}_${l}`;
    if (text.includes(`${name},`)) yield strings(name, JSON.parse(list));
  }
  yield `/* The inputs of the network; -1 for a missing cell that must be there. */\nstatic int encode_${i}(const mlp_row *row, real x[${Math.max(1, inputs)}]) {\n  int at = 0;\n`;
  yield text.replaceAll(/\bMISSING_COUNT\((\w+)\)/g, (_, name: string) =>
    String(JSON.parse(lists[Number(name.split('_').at(-1))]).length),
  );
  yield '  (void)row, (void)x, (void)at;\n  return 0;\n}\n\n';
}

/** The code for one column. */
class CellText {
  constructor(
    readonly encoding: Encoding,
    readonly column: InputColumn,
    readonly cell: string,
    readonly isText: boolean,
    readonly name: string,
    readonly missing: string,
  ) {}

  /** The arrays that it needs. */
  *tables(): Generator<string> {
    const { encoding, name, column } = this;
    if (encoding.kind === 'number') {
      if (encoding.levels) yield* array('double', `levels_${name}`, encoding.levels);
      if (column.missingNumbers.length > 0) yield* array('double', `gaps_${name}`, column.missingNumbers);
    }
    if (encoding.kind !== 'category') return;
    const { levels, inputs } = encoding;
    if (this.isText) yield strings(`levels_${name}`, levels);
    else yield* array('double', `levels_${name}`, levels.map(Number));
    if (inputs.kind === 'single') yield* array('double', `values_${name}`, inputs.values);
    else if (!this.isPlain) {
      yield* array('double', `on_${name}`, inputs.on);
      yield* array('double', `off_${name}`, inputs.off);
    }
  }

  /** Whether the inputs of levels are 0 and 1. */
  get isPlain(): boolean {
    const { encoding } = this;
    if (encoding.kind !== 'category' || encoding.inputs.kind !== 'one-hot') return false;
    const { on, off } = encoding.inputs;
    return on.every((value) => value === 1) && off.every((value) => value === 0);
  }

  *lines(): Generator<string> {
    const { encoding, column, cell } = this;
    yield `  { /* ${column.name.replaceAll(/[^\w .,;:()%-]/g, '?')} */\n`;
    yield this.isText ? `    const char *v = ${cell};\n` : `    double v = ${cell};\n`;
    if (encoding.kind === 'category') yield* this.#category();
    else {
      yield `    int gone = ${this.#gone()};\n`;
      if (column.required) yield '    if (gone) return -1;\n';
      if (encoding.kind === 'number') yield* this.#number(encoding);
      if (encoding.kind === 'boolean') {
        const { no, yes, other, missing } = encoding;
        yield `    x[at++] = (real)(gone ? ${number(missing)} : v == 1 ? ${number(yes)} : v == 0 ? ${number(no)} : ${number(other)});\n`;
      }
      if (encoding.kind === 'date') yield* this.#date(encoding);
    }
    const { marks } = encoding;
    if (marks) yield `    x[at++] = (real)(gone ? ${number(marks[1])} : ${number(marks[0])});\n`;
    yield '    (void)v, (void)gone;\n  }\n';
  }

  /** Whether the cell v is missing, as far as no level says otherwise. */
  #gone(): string {
    if (this.isText) return `v == NULL || find(v, ${this.missing}, MISSING_COUNT(${this.missing})) >= 0`;
    const { length } = this.column.missingNumbers;
    return length > 0 && this.encoding.kind === 'number'
      ? `isnan(v) || place(v, gaps_${this.name}, ${length}) >= 0`
      : 'isnan(v)';
  }

  *#number({
    shift,
    scale,
    clip = 0,
    fill,
    zero,
    levels,
  }: Extract<Encoding, { kind: 'number' }>): Generator<string> {
    const filled = fill === undefined ? 'v' : `gone ? ${number(fill)} : v`;
    yield zero
      ? '    x[at++] = 0;\n'
      : `    x[at++] = (real)scaled(${filled}, ${number(shift)}, ${number(scale)}, ${number(clip)});\n`;
    if (levels)
      yield `    x[at++] = (real)(gone ? 0 : place(v, levels_${this.name}, ${levels.length}) + 1);\n`;
  }

  *#category(): Generator<string> {
    const { encoding, name, column } = this;
    if (encoding.kind !== 'category') return;
    const { levels, inputs, fill = -1 } = encoding;
    yield `    int level = ${this.isText ? 'find' : 'place'}(v, levels_${name}, ${levels.length});\n`;
    yield `    int gone = level < 0 && (${this.#gone()});\n`;
    if (column.required) yield '    if (gone) return -1;\n';
    if (fill >= 0) yield `    if (gone) level = ${fill};\n`;
    if (inputs.kind === 'single') {
      yield `    x[at++] = (real)(level < 0 ? ${number(inputs.none)} : values_${name}[level]);\n`;
      return;
    }
    const value = this.isPlain ? 'j == level' : `(j == level ? on_${name}[j] : off_${name}[j])`;
    yield `    for (int j = 0; j < ${levels.length}; j++) x[at++] = (real)${this.isPlain ? `(${value})` : value};\n`;
  }

  *#date({ inputs }: Extract<Encoding, { kind: 'date' }>): Generator<string> {
    for (const { part, wave, period = 1, fill, shift, scale, clip = 0 } of inputs) {
      const value = part === 'elapsed' ? 'v' : `date_part(v, ${PARTS.indexOf(part)})`;
      const waved =
        wave === undefined
          ? value
          : `${wave === 'sine' ? 'sin' : 'cos'}(${number(2 * Math.PI)} * ${value} / ${number(period)})`;
      const filled = fill === undefined ? waved : `gone ? ${number(fill)} : ${waved}`;
      yield `    x[at++] = (real)scaled(${filled}, ${number(shift)}, ${number(scale)}, ${number(clip)});\n`;
    }
  }
}

const PARTS: readonly DatePart[] = ['year', 'month', 'day', 'weekday', 'hour'];
