/** The parts of a suggested config, and the words that its reasons share. */

import type { ColumnRef, DataConfig } from '../../spec/dataConfig.js';
import type { OptimizerConfig } from '../../spec/optimizerConfig.js';
import type { ScheduleConfig } from '../../spec/scheduleConfig.js';
import { listed, quote } from '../../text.js';
import type { ColumnProfile, TableProfile, TargetProfile } from '../profile/tableProfile.js';

/** A train config with the keys worth writing; the others keep their defaults. */
export interface SuggestedConfig {
  $schema?: string;
  preset?: 'tabular';
  /** Layers in their short form; left to the preset if there is one, like the training. */
  network?: { layers?: (number | string)[]; members?: number };
  data: Pick<DataConfig, 'train' | 'target'> & Partial<DataConfig>;
  training?:
    | {
        epochs: number;
        batchSize: number;
        optimizer: Pick<OptimizerConfig, 'type' | 'learningRate'>;
        schedule?: ScheduleConfig;
        l2?: number;
      }
    | undefined;
}

/** Why a key has its value: a sentence that starts with the value. */
export interface Reason {
  /** The key's path: `data.exclude`. */
  readonly key: string;
  /** Names of columns and classes in it are quoted and printable. */
  readonly text: string;
}

/** A table and what is to be learned from it. */
export interface Context {
  readonly profile: TableProfile;
  readonly target: TargetProfile;
  /** Rows whose target is not missing. */
  readonly rows: number;
}

/** The column as a config names it. */
export function refOf({ dialect }: TableProfile, { name }: ColumnProfile): ColumnRef {
  // Without a header, names are numbers.
  return dialect.header ? name : Number(name);
}

/** `"age", "size" and 7 more`; without a header `column 0, column 2`. */
export function listOf({ dialect }: TableProfile, columns: readonly ColumnProfile[]): string {
  return listed(columns.map(({ name }) => (dialect.header ? quote(name) : `column ${name}`)));
}
