/** What a proposal is made of, and the words that its reasons share. */
import { quote } from '../../spec/show.js';
import type { ColumnRef, DataConfig, OptimizerConfig, ScheduleConfig } from '../../spec/train.js';
import type { ColumnSummary, TableSummary, TargetSummary } from '../summary/types.js';

/** A train config with the keys that are worth writing; all others keep their defaults. */
export interface ProposedConfig {
  $schema?: string;
  /** Layers in their short form. */
  network: { layers: (number | string)[] };
  data: Pick<DataConfig, 'train' | 'target'> & Partial<DataConfig>;
  training: {
    epochs: number;
    batchSize: number;
    optimizer: Pick<OptimizerConfig, 'type' | 'learningRate'>;
    schedule?: ScheduleConfig;
    l2?: number;
  };
}

/** Why a key has its value: one sentence that begins with the value. */
export interface Reason {
  /** The key's path: `data.exclude`. */
  readonly key: string;
  /** Names of columns and classes in it are quoted and printable. */
  readonly text: string;
}

/** A table and what is to be learnt from it. */
export interface Subject {
  readonly summary: TableSummary;
  readonly target: TargetSummary;
  /** Rows whose target is not missing. */
  readonly rows: number;
}

/** So many names are written out in a sentence. */
const MOST_NAMED = 5;

/** How a config calls the column. */
export function refOf({ dialect }: TableSummary, { name, index }: ColumnSummary): ColumnRef {
  return dialect.header ? name : index;
}

/** `"age", "size" and 7 more`; of a file without header `column 0, column 2`. */
export function listOf({ dialect }: TableSummary, columns: readonly ColumnSummary[]): string {
  const names = columns
    .slice(0, MOST_NAMED)
    .map(({ name }) => (dialect.header ? quote(name) : `column ${name}`));
  const more = columns.length - names.length;
  return names.join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/** `1,797 rows`, `1 row` */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${String(count).replace(/\B(?=(\d{3})+$)/g, ',')} ${count === 1 ? noun : plural}`;
}
