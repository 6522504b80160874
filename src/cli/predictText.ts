/** The lines that mlp predict writes: CSV, or a JSON object each. */
import { cellFormatter, guardFormula, joinCells, shortestFloat32 } from '../data/csv/writeCsv.js';
import type { DType } from '../kernels/kernels.js';
import type { ModelContent } from '../model/model.js';

/** What is predicted, and what stands before it. */
export interface LinesRequest {
  readonly model: Pick<ModelContent, 'classes' | 'targets'> & { readonly dtype: DType };
  /** The columns of the data that are kept: their numbers, in their order, and the names of all. */
  readonly kept: readonly number[];
  readonly names: readonly string[];
}

export interface CsvLinesRequest extends LinesRequest {
  readonly delimiter: string;
  /** Whether text that a spreadsheet would run is made harmless. */
  readonly guard: boolean;
}

/** The cells of a row of the data, its numbers (class probabilities, or values of the targets), and the number of its class where there are classes. */
export type RowLine = (cells: readonly string[], numbers: Float64Array, label: number | undefined) => string;

export interface Lines {
  /** Before all others; empty where there is none. */
  readonly head: string;
  /** The line of a row, with its line end. */
  readonly row: RowLine;
}

/** A header and rows: columns that are kept; `prediction`; for classes `probability_<class>`; with several targets `prediction_<target>`, each. */
export function csvLines({ model, kept, names, delimiter, guard }: CsvLinesRequest): Lines {
  const quoteCell = cellFormatter(delimiter);
  const guarded = guard ? guardFormula : (cell: string) => cell;
  const format = (cell: string) => quoteCell(guarded(cell));
  const { classes, targets } = model;
  const predicted =
    classes !== undefined
      ? ['prediction', ...classes.map((name) => `probability_${name}`)]
      : targets.length === 1
        ? ['prediction']
        : targets.map((name) => `prediction_${name}`);
  const numberText = numberFormatter(model.dtype);
  const classCells = classes?.map(format);
  const header = [...kept.map((column) => names[column]), ...predicted].map(guarded);
  return {
    head: joinCells(distinct(header).map(quoteCell), delimiter),
    row(cells, numbers, label) {
      const line = kept.map((column) => format(cells[column]));
      if (classCells && label !== undefined) line.push(classCells[label]);
      for (const number of numbers) line.push(numberText(number));
      return joinCells(line, delimiter);
    },
  };
}

/**
 * For each row `{"prediction": "a", "probabilities": {"a": 0.75, "b": 0.25}}`, `{"prediction": 1.5}`, or with several targets `{"predictions": {"y": 1.5,
 * "z": 2}}`; where columns are kept, `"columns": {"id": "7"}` before it, with cells as the data have them.
 */
export function jsonLines({ model, kept, names }: LinesRequest): Lines {
  const { classes, targets } = model;
  const numberText = numberFormatter(model.dtype);
  const keptKeys = kept.map((column) => `${JSON.stringify(names[column])}:`);
  const numberKeys = (classes ?? targets).map((name) => `${JSON.stringify(name)}:`);
  const classTexts = classes?.map((name) => JSON.stringify(name));

  const columns = (cells: readonly string[]) =>
    kept.length === 0 ? '' : `"columns":${objectOf(keptKeys, (i) => JSON.stringify(cells[kept[i]]))},`;
  const prediction = (numbers: Float64Array, label: number | undefined) => {
    const object = () => objectOf(numberKeys, (i) => numberText(numbers[i]));
    if (classTexts && label !== undefined)
      return `"prediction":${classTexts[label]},"probabilities":${object()}`;
    return targets.length === 1 ? `"prediction":${numberText(numbers[0])}` : `"predictions":${object()}`;
  };
  return {
    head: '',
    row: (cells, numbers, label) => `{${columns(cells)}${prediction(numbers, label)}}\n`,
  };
}

/** Written by hand, for the members of an object would come in another order where names are numbers, and `__proto__` be none. */
function objectOf(keys: readonly string[], value: (index: number) => string): string {
  return `{${keys.map((key, i) => key + value(i)).join(',')}}`;
}

/** As many digits as the network computes with: those of a float32 are the shortest that read back to it. */
function numberFormatter(dtype: DType): (value: number) => string {
  return dtype === 'float32' ? shortestFloat32 : String;
}

/** The names, with `_2`, `_3`, … behind those that others before them have already. */
function distinct(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let free = name;
    for (let n = 2; taken.has(free); n++) free = `${name}_${n}`;
    taken.add(free);
    return free;
  });
}
