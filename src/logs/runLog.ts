/** Logs of a training that other programs read, beside its own directory. */
import type { EpochRecord, StepRecord, TrainListener } from '../training/loop.js';
import type { PreparedRun, RunListener } from '../training/stages.js';

/** None of its methods throws, for a log must not fail a training. What fails is told as a warning. */
export interface RunLog {
  started(run: PreparedRun): void;
  /** @param stage `refit/` for the second training of a run, else nothing: names begin with it */
  stepsDone(record: StepRecord, stage: string): void;
  epochDone(record: EpochRecord, stage: string): void;
  /** @param status how the run ended; missing if it failed */
  close(status?: string): Promise<void>;
}

/** The listener, after which the logs are told. */
export function withLogs(listener: RunListener, logs: readonly RunLog[]): RunListener {
  if (logs.length === 0) return listener;
  const logged = (own: TrainListener, stage: string): TrainListener => ({
    ...own,
    async stepsDone(record) {
      await own.stepsDone?.(record);
      for (const log of logs) log.stepsDone(record, stage);
    },
    async epochDone(record) {
      await own.epochDone?.(record);
      for (const log of logs) log.epochDone(record, stage);
    },
  });
  return {
    ...listener,
    ...logged(listener, ''),
    async started(run) {
      await listener.started?.(run);
      for (const log of logs) log.started(run);
    },
    refitStarted: (refit) => logged(listener.refitStarted?.(refit) ?? {}, 'refit/'),
  };
}

export type Scalar = readonly [name: string, value: number];

/** The numbers of an epoch: `loss/train`, `accuracy/validation`, …, and the learning rate. */
export function scalarsOf(record: EpochRecord, stage: string): Scalar[] {
  const sides = (['train', 'validation'] as const).flatMap((side) =>
    Object.entries(record[side]?.metrics ?? {}).flatMap(([metric, value]): Scalar[] =>
      value === null ? [] : [[`${stage}${metric}/${side}`, value]],
    ),
  );
  return [...sides, [`${stage}learning_rate`, record.learningRate]];
}
