/** What becomes of missing cells. */

import type { ByColumn } from '../../spec/dataConfig.js';
import type { MissingPolicy } from '../../spec/words.js';
import { counted } from '../../text.js';
import type { ColumnSummary } from '../summary/types.js';
import { listOf, type Reason, type Subject } from './types.js';

export interface MissingChoice {
  /** Not there where no cell is missing. */
  readonly missing?: ByColumn<MissingPolicy>;
  /** How many features get an input of their own for where they are missing. */
  readonly indicators: number;
  readonly reasons: readonly Reason[];
}

/** From this share of the rows on, that a cell is missing may tell something by itself. */
const TELLING = 0.05;
/** For more columns than this one policy is written for all. */
const MOST_POLICIES = 12;

/**
 * Numbers are filled with the median, which outliers don't move, and categories with the most frequent level; where a twentieth of
 * the cells or more is missing an indicator says where. Rows without a target are dropped.
 */
export function chooseMissing(subject: Subject, features: readonly ColumnSummary[]): MissingChoice {
  const { summary, target } = subject;
  const missing = features.filter((column) => column.missing > 0);
  const telling = missing.filter((column) => column.missing >= TELLING * summary.rows);
  const targetColumn = summary.columns[target.index];
  if (missing.length > MOST_POLICIES && targetColumn.missing === 0) {
    const policy = telling.length > 0 ? 'indicator' : 'median';
    const text = `${policy}, since ${missing.length} columns have missing cells`;
    const indicators = policy === 'indicator' ? missing.length : 0;
    return { missing: policy, indicators, reasons: [{ key: 'data.missing', text }] };
  }

  const filled = missing.filter((column) => !telling.includes(column));
  const groups: readonly Group[] = [
    { policy: 'indicator', columns: telling, why: 'that a cell is missing may tell something too' },
    {
      policy: 'median',
      columns: filled.filter(({ cells }) => cells === 'numeric'),
      why: 'few cells are missing, and outliers do not move it',
    },
    {
      policy: 'most-frequent',
      columns: filled.filter(({ cells }) => cells === 'text'),
      why: 'few cells are missing',
    },
    {
      policy: 'drop-row',
      columns: targetColumn.missing > 0 ? [targetColumn] : [],
      why: `${counted(targetColumn.missing, 'row')} without a target can teach nothing`,
    },
  ];
  const used = groups.filter(({ columns }) => columns.length > 0);
  if (used.length === 0) return { indicators: 0, reasons: [] };
  const texts = used.map(
    ({ policy, columns, why }) => `${policy} for ${listOf(summary, columns)}, since ${why}`,
  );
  return {
    missing: Object.fromEntries(
      used.flatMap(({ policy, columns }) => columns.map(({ name }) => [name, policy])),
    ),
    indicators: telling.length,
    reasons: [{ key: 'data.missing', text: texts.join('; ') }],
  };
}

/** Columns with the same policy. */
interface Group {
  readonly policy: MissingPolicy;
  readonly columns: readonly ColumnSummary[];
  readonly why: string;
}
