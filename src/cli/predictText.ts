/** The lines that `mlp predict` writes: CSV, or one JSON object per line. */
import { cellFormatter, guardFormula, joinCells, shortestFloat32 } from '../data/csv/writeCsv.js';
import type { DType } from '../kernels/kernels.js';
import type { ModelContent } from '../model/model.js';

/** The model, and the columns to copy before its predictions. */
export interface LinesRequest {
  readonly model: Pick<ModelContent, 'classes' | 'targets'> & { readonly dtype: DType };
  /** The numbers of the columns to copy, in their output order; and the names of all columns. */
  readonly kept: readonly number[];
  readonly names: readonly string[];
  /** Whether a column says why a row has no prediction. */
  readonly reasons?: boolean;
}

export interface CsvLinesRequest extends LinesRequest {
  readonly delimiter: string;
  /** Whether to make text harmless that a spreadsheet would run. */
  readonly guard: boolean;
}

/** Cells, predictions (class probabilities or target values) and, for classes, the class number. */
export type RowLine = (cells: readonly string[], numbers: Float64Array, label: number | undefined) => string;

export interface Lines {
  /** The first line; empty for JSON. */
  readonly head: string;
  readonly row: RowLine;
  /** A row without a prediction; it may have too few cells. */
  readonly blank: (cells: readonly string[], reason: string) => string;
}

/**
 * The copied columns, then `prediction` and `probability_<class>`, or each `prediction_<target>`;
 * then the `reason` if there is none.
 */
export function csvLines({ model, kept, names, reasons, delimiter, guard }: CsvLinesRequest): Lines {
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
  const last = reasons ? ['reason'] : [];
  const header = [...kept.map((column) => names[column]), ...predicted, ...last].map(guarded);
  const end = reasons ? [''] : [];
  return {
    head: joinCells(distinct(header).map(quoteCell), delimiter),
    row(cells, numbers, label) {
      const line = kept.map((column) => format(cells[column]));
      if (classCells && label !== undefined) line.push(classCells[label]);
      for (const number of numbers) line.push(numberText(number));
      return joinCells([...line, ...end], delimiter);
    },
    blank(cells, reason) {
      const line = kept.map((column) => format(cells[column] ?? ''));
      for (const _ of predicted) line.push('');
      return joinCells(reasons ? [...line, format(reason)] : line, delimiter);
    },
  };
}

/**
 * Per row `{"columns": {"id": "7"}, "prediction": "a", "probabilities": {"a": 0.75, "b": 0.25}}`,
 * `{"prediction": 1.5}`, or for several targets `{"predictions": {"y": 1.5, "z": 2}}`. A row without
 * a prediction has null for it, and a `reason`.
 */
export function jsonLines({ model, kept, names }: LinesRequest): Lines {
  const { classes, targets } = model;
  const numberText = numberFormatter(model.dtype);
  const keptKeys = kept.map((column) => `${JSON.stringify(names[column])}:`);
  const numberKeys = (classes ?? targets).map((name) => `${JSON.stringify(name)}:`);
  const classTexts = classes?.map((name) => JSON.stringify(name));

  const none = classes || targets.length === 1 ? 'prediction' : 'predictions';
  const columns = (cells: readonly string[]) =>
    kept.length === 0 ? '' : `"columns":${objectOf(keptKeys, (i) => JSON.stringify(cells[kept[i]] ?? ''))},`;
  const prediction = (numbers: Float64Array, label: number | undefined) => {
    const object = () => objectOf(numberKeys, (i) => numberText(numbers[i]));
    if (classTexts && label !== undefined)
      return `"prediction":${classTexts[label]},"probabilities":${object()}`;
    return targets.length === 1 ? `"prediction":${numberText(numbers[0])}` : `"predictions":${object()}`;
  };
  return {
    head: '',
    row: (cells, numbers, label) => `{${columns(cells)}${prediction(numbers, label)}}\n`,
    blank: (cells, reason) => `{${columns(cells)}"${none}":null,"reason":${JSON.stringify(reason)}}\n`,
  };
}

/** Written by hand: JavaScript objects reorder numeric keys and lose the key `__proto__`. */
function objectOf(keys: readonly string[], value: (index: number) => string): string {
  return `{${keys.map((key, i) => key + value(i)).join(',')}}`;
}

/** The digits of the network's type: for float32, the fewest that read back to the same value. */
function numberFormatter(dtype: DType): (value: number) => string {
  return dtype === 'float32' ? shortestFloat32 : String;
}

/** The names, made unique by `_2`, `_3`, … after repeated ones. */
function distinct(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let free = name;
    for (let n = 2; taken.has(free); n++) free = `${name}_${n}`;
    taken.add(free);
    return free;
  });
}
