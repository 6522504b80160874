/** Predictions as lines: CSV, or one JSON object per line. */
import { cellFormatter, guardFormula, joinCells, shortestFloat32 } from '../data/csv/writeCsv.js';
import type { DType } from '../kernels/kernels.js';
import { printable } from '../text.js';
import type { ModelContent } from './model.js';
import { middleOf } from './predictions.js';

/** The model, and the columns to copy before its predictions. */
export interface LinesRequest {
  readonly model: Pick<ModelContent, 'classes' | 'labelValues' | 'targets' | 'lossParameters'> & {
    readonly dtype: DType;
  };
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

/**
 * Cells, predictions (probabilities or target values) and what is decided: the number of the class,
 * 0 or 1 for each label, nothing for a regression.
 */
export type RowLine = (
  cells: readonly string[],
  numbers: Float64Array,
  decided: Int32Array | undefined,
) => string;

export interface Lines {
  /** The first line; empty for JSON. */
  readonly head: string;
  readonly row: RowLine;
  /** A row without a prediction; it may have too few cells. */
  readonly blank: (cells: readonly string[], reason: string) => string;
}

/**
 * The copied columns, then `prediction` and `probability_<class>`, or each `prediction_<target>`; for
 * labels also each `probability_<target>`, for quantiles each `quantile_<quantile>`. Then the `reason` if there is no prediction.
 */
export function csvLines({ model, kept, names, reasons, delimiter, guard }: CsvLinesRequest): Lines {
  const quoteCell = cellFormatter(delimiter);
  const guarded = guard ? guardFormula : (cell: string) => cell;
  const format = (cell: string) => quoteCell(guarded(cell));
  const { classes, labelValues, targets, lossParameters: { quantiles } = {} } = model;
  const predictions =
    targets.length === 1 && !labelValues ? ['prediction'] : targets.map((name) => `prediction_${name}`);
  const probabilities = (classes ?? (labelValues && targets) ?? []).map((name) => `probability_${name}`);
  const predicted = [
    ...predictions,
    ...probabilities,
    ...(quantiles ?? []).map((quantile) => `quantile_${quantile}`),
  ];
  const middle = quantiles && middleOf({ quantiles });
  const numberText = numberFormatter(model.dtype);
  const values = decidedValues(model)?.map((names) => names.map(format));
  const last = reasons ? ['reason'] : [];
  const header = [...kept.map((column) => names[column]), ...predicted, ...last].map(guarded);
  const end = reasons ? [''] : [];
  return {
    head: joinCells(distinct(header).map(quoteCell), delimiter),
    row(cells, numbers, decided = NOTHING) {
      const line = kept.map((column) => format(cells[column]));
      if (values) for (let j = 0; j < decided.length; j++) line.push(values[j][decided[j]]);
      if (middle !== undefined) line.push(numberText(numbers[middle]));
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

const NOTHING: Int32Array = new Int32Array(0);

/** The names of what is decided: one list for the classes, or one for each label. */
function decidedValues({ classes, labelValues }: LinesRequest['model']) {
  return classes ? [classes] : labelValues;
}

/**
 * Per row `{"columns": {"id": "7"}, "prediction": "a", "probabilities": {"a": 0.75, "b": 0.25}}`,
 * `{"prediction": 1.5}`, for several targets `{"predictions": {"y": 1.5, "z": 2}}`, and for labels
 * `{"predictions": {"y": "yes", "z": "no"}, "probabilities": {"y": 0.75, "z": 0.25}}`, and for quantiles
 * `{"prediction": 1.5, "quantiles": {"0.05": 1, "0.5": 1.5, "0.95": 3}}`. A row
 * without a prediction has null for it, and a `reason`.
 */
export function jsonLines({ model, kept, names }: LinesRequest): Lines {
  const { classes, targets, lossParameters: { quantiles } = {} } = model;
  const numberText = numberFormatter(model.dtype);
  const keptKeys = kept.map((column) => `${jsonText(names[column])}:`);
  const numberKeys = (classes ?? quantiles?.map(String) ?? targets).map((name) => `${jsonText(name)}:`);
  const values = decidedValues(model)?.map((names) => names.map((name) => jsonText(name)));

  const none = classes || (targets.length === 1 && !values) ? 'prediction' : 'predictions';
  const columns = (cells: readonly string[]) =>
    kept.length === 0 ? '' : `"columns":${objectOf(keptKeys, (i) => jsonText(cells[kept[i]] ?? ''))},`;
  const prediction = (numbers: Float64Array, decided = NOTHING) => {
    const object = () => objectOf(numberKeys, (i) => numberText(numbers[i]));
    if (values) {
      const found = classes
        ? `"prediction":${values[0][decided[0]]}`
        : `"predictions":${objectOf(numberKeys, (i) => values[i][decided[i]])}`;
      return `${found},"probabilities":${object()}`;
    }
    if (quantiles)
      return `"prediction":${numberText(numbers[middleOf({ quantiles })])},"quantiles":${object()}`;
    return targets.length === 1 ? `"prediction":${numberText(numbers[0])}` : `"predictions":${object()}`;
  };
  return {
    head: '',
    row: (cells, numbers, decided) => `{${columns(cells)}${prediction(numbers, decided)}}\n`,
    blank: (cells, reason) => `{${columns(cells)}"${none}":null,"reason":${jsonText(reason)}}\n`,
  };
}

/** JSON with what a terminal obeys or hides escaped. */
function jsonText(text: string): string {
  return printable(JSON.stringify(text));
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
