/** What the files in a run's directory are called. */
export const RUN_FILES = {
  /** The config with every default filled in. */
  config: 'config.json',
  /** A row for each step. */
  steps: 'steps.csv',
  /** A row for each epoch. */
  epochs: 'epochs.csv',
  /** Checkpoints, as long as the run can be resumed. */
  checkpoints: 'checkpoint',
  /** Rows that can't be read, if there are any. */
  rejected: 'rejected.csv',
  model: 'model.safetensors',
  /** Versions, hashes and results. */
  summary: 'run.json',
} as const;
