/** The config in a run's directory: where its paths lead. */
import { relative, resolve, sep } from 'node:path';
import type { TrainConfig } from '../spec/train.js';

/** The config with its file paths relative to another directory, as JSON has them (with /). */
export function relocate(config: TrainConfig, from: string, to: string): TrainConfig {
  const move = <Source>(source: Source) =>
    typeof source === 'string' && source !== '-'
      ? (relative(to, resolve(from, source)) || '.').split(sep).join('/')
      : source;
  const { $schema: _, ...rest } = config;
  const { train, validation, test } = config.data;
  return {
    ...rest,
    data: { ...config.data, train: move(train), validation: move(validation), test: move(test) },
  };
}
