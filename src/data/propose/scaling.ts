/** How features and the target are scaled. */
import { counted } from '../../text.js';
import type { ColumnSummary } from '../summary/types.js';
import type { Reason, Subject } from './types.js';

/** Fewer columns are no picture. */
const LEAST_PIXELS = 16;
/** The greatest value of a picture in bytes: at least one pixel is bright. */
const BRIGHT = { least: 128, most: 255 };
/** From this share of the whole range on a column spans it. */
const SPANS = 0.9;
/** A network starts with outputs of about this size. */
const USUAL_DEVIATION = { least: 0.5, most: 2 };
const USUAL_MEAN = 2;

/**
 * Whether all columns together look like pictures in bytes: at least 16, of whole numbers from 0 to 255 without a missing one,
 * half of which span nearly the whole range.
 */
export function arePixels(columns: readonly ColumnSummary[]): boolean {
  if (columns.length < LEAST_PIXELS) return false;
  let greatest = 0;
  for (const { kind, missing, range } of columns) {
    const isWhole = kind === 'integer' || (kind === 'constant' && Number.isInteger(range?.min));
    if (!isWhole || missing > 0 || range === undefined || range.min < 0) return false;
    greatest = Math.max(greatest, range.max);
  }
  const spanning = columns.filter(({ range }) => range && range.max - range.min >= SPANS * greatest);
  return greatest >= BRIGHT.least && greatest <= BRIGHT.most && 2 * spanning.length >= columns.length;
}

/**
 * Pictures to [0, 1]: dividing by the deviation would blow up the pixels that are hardly ever lit. All other numbers to mean 0 and
 * variance 1.
 *
 * @param numbers the features that are no categories
 */
export function chooseScaling(
  numbers: readonly ColumnSummary[],
  pixels: boolean,
): { standardize: true | 'minmax'; reasons: Reason[] } {
  const key = 'data.standardize';
  if (pixels) {
    const text =
      `minmax, since all ${counted(numbers.length, 'feature')} are whole numbers up to 255, as pixels are: ` +
      'divided by their deviations, pixels that are hardly ever lit would outweigh the others; constant ones stay, so that a row is a whole picture';
    return { standardize: 'minmax', reasons: [{ key, text }] };
  }
  const deviations = numbers.flatMap(({ deviation }) => (deviation === undefined ? [] : [deviation]));
  if (deviations.length === 0) return { standardize: true, reasons: [] };
  const least = deviations.reduce((a, b) => Math.min(a, b));
  const most = deviations.reduce((a, b) => Math.max(a, b));
  const range =
    deviations.length === 1 ? `is ${short(most)}` : `range from ${short(least)} to ${short(most)}`;
  const noun = deviations.length === 1 ? 'its deviation' : 'deviations';
  return {
    standardize: true,
    reasons: [
      { key, text: `true, since ${noun} ${range}, and a network learns best from mean 0 and deviation 1` },
    ],
  };
}

/** Whether a regression's target is far from what a network starts with: deviations of about 1 around 0. */
export function chooseTargetScaling({ summary, target }: Subject): {
  standardizeTarget?: true;
  reasons: Reason[];
} {
  const { mean, deviation } = summary.columns[target.index];
  if (target.task !== 'regression' || mean === undefined || deviation === undefined) return { reasons: [] };
  const isUsual =
    deviation >= USUAL_DEVIATION.least && deviation <= USUAL_DEVIATION.most && Math.abs(mean) <= USUAL_MEAN;
  if (isUsual) return { reasons: [] };
  const text = `true, since the target has mean ${short(mean)} and deviation ${short(deviation)}, far from 0 and 1; the loss is then in deviations`;
  return { standardizeTarget: true, reasons: [{ key: 'data.standardizeTarget', text }] };
}

/** Three significant digits. */
function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
