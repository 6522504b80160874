/** One column in figures. */
import { hardlyRepeat } from '../levels.js';
import type { Column, NumericColumn, TextColumn } from '../table.js';
import { type Codes, countCodes } from './cells.js';
import { type Moments, momentsOf } from './moments.js';
import type { ColumnSummary, Level, SummaryKind } from './types.js';

/** How many of its most frequent values a column of text shows. */
const FREQUENT_LEVELS = 5;
/** With fewer cells than this it means nothing that all differ. */
const LEAST_CELLS = 10;
/** `id`, `customer_id`, `Customer ID`, `uuid`; and `customerId`. */
const IDENTIFIER_NAMES = [/(?:^|[^a-z])(?:id|uuid|guid|index|key)$/i, /[a-z](?:Id|ID)$/];

/** The figures of a column, given with the codes of its cells. The target is never an identifier. */
export function summarizeColumn(
  name: string,
  index: number,
  column: Column,
  encoded: Codes,
  isTarget: boolean,
): ColumnSummary {
  const { distinct } = encoded;
  const describe = (kind: SummaryKind, figures: Partial<ColumnSummary> = {}): ColumnSummary => ({
    name,
    index,
    kind: distinct <= 1 ? 'constant' : kind,
    cells: column.kind,
    missing: column.missing,
    distinct,
    ...figures,
  });
  if (column.kind === 'text') {
    return describe(textKind(column, distinct, isTarget), { frequent: mostFrequent(column, encoded) });
  }
  const moments = momentsOf(column.values);
  if (moments === undefined) return describe('constant');
  const { min, max, mean, deviation } = moments;
  const kind = numberKind(name, column, distinct, moments, isTarget);
  return describe(kind, { range: { min, max }, mean, deviation });
}

/** Text identifies rows where all its cells differ, or where its levels occur less than twice on average. */
function textKind({ codes, missing }: TextColumn, distinct: number, isTarget: boolean): SummaryKind {
  const present = codes.length - missing;
  const identifies = distinct === present ? present >= LEAST_CELLS : hardlyRepeat(distinct, present);
  return identifies && !isTarget ? 'identifier' : 'category';
}

/**
 * Whole numbers identify rows where all differ, and either they leave no gap between them, in any order (1 2 3 …), or the
 * column is called so.
 */
function numberKind(
  name: string,
  { values, missing }: NumericColumn,
  distinct: number,
  { min, max, whole }: Moments,
  isTarget: boolean,
): SummaryKind {
  if (!whole) return 'numeric';
  const present = values.length - missing;
  const different = present >= LEAST_CELLS && distinct === present;
  const identifies =
    different && (max - min === present - 1 || IDENTIFIER_NAMES.some((pattern) => pattern.test(name)));
  return identifies && !isTarget ? 'identifier' : 'integer';
}

/** Of values that are equally frequent, the one that comes first in the file is first. */
function mostFrequent({ levels }: TextColumn, encoded: Codes): Level[] {
  const counts = countCodes(encoded);
  const top: number[] = [];
  for (let code = 0; code < counts.length; code++) {
    if (top.length === FREQUENT_LEVELS && counts[code] <= counts[top[FREQUENT_LEVELS - 1]]) continue;
    const place = top.findIndex((other) => counts[code] > counts[other]);
    top.splice(place < 0 ? top.length : place, 0, code);
    if (top.length > FREQUENT_LEVELS) top.pop();
  }
  return top.map((code) => ({ name: levels[code], rows: counts[code] }));
}
