/** What a training writes while it lasts: its logs and its checkpoints, in a directory. */
import { join } from 'node:path';
import { RUN_FILES } from '../../files/runFiles.js';
import type { ModelContent } from '../../model/model.js';
import type { LayerStatistics } from '../../network/layerStatistics.js';
import type { EpochRecord, RunState, StepRecord } from '../loop.js';
import { CheckpointStore } from './checkpoints.js';
import { RunLogs } from './logs.js';
import type { Provenance } from './provenance.js';
import { decodeRun, encodeRun, type SavedRun } from './state.js';

export class RunRecord {
  readonly path: string;
  readonly #checkpoints: CheckpointStore;
  #logs: RunLogs | undefined;
  #hasCheckpoint = false;
  /** Whether the checkpoints are of another training, which the next write ends. */
  #isDiscarded = false;

  /** @param path of a directory that exists before anything is written */
  constructor(path: string) {
    this.path = path;
    this.#checkpoints = new CheckpointStore(join(path, RUN_FILES.checkpoints));
  }

  get hasCheckpoint(): boolean {
    return this.#hasCheckpoint;
  }

  /**
   * The state of the last sound checkpoint, if any; `warn` is told of damaged ones.
   * @throws MlpError ExitCode.data if all are damaged
   */
  async load(warn: (sentence: string) => void): Promise<SavedRun | undefined> {
    const checkpoint = await this.#checkpoints.load(warn);
    this.#hasCheckpoint = checkpoint !== undefined;
    return checkpoint && decodeRun(checkpoint);
  }

  /** Continues the logs from a state, or starts them anew; what was written later is cut off with the next write. */
  async start(state?: SavedRun, warn?: (sentence: string) => void): Promise<void> {
    await this.close();
    this.#logs = await RunLogs.open(this.path, state?.files, warn);
  }

  async writeSteps(record: StepRecord): Promise<void> {
    await this.#discard();
    await this.#logs?.writeSteps(record);
  }

  async writeEpoch(record: EpochRecord): Promise<void> {
    await this.#discard();
    await this.#logs?.writeEpoch(record);
  }

  async writeLayers(epoch: number, layers: readonly LayerStatistics[]): Promise<void> {
    await this.#discard();
    await this.#logs?.writeLayers(epoch, layers);
  }

  /** Cuts off what was written after the state that was continued, also if nothing is left to write. */
  async sync(): Promise<void> {
    await this.#discard();
    await this.#logs?.sync();
  }

  /**
   * Writes a checkpoint, after flushing the logs that it refers to.
   * @param model what a model file says besides the weights
   */
  async save(state: RunState, origin: Provenance, config: unknown, model?: ModelContent): Promise<void> {
    await this.#discard();
    const files = (await this.#logs?.sync()) ?? { steps: 0, epochs: 0 };
    await this.#checkpoints.save(state.progress.steps, encodeRun({ ...state, origin, files, config, model }));
    this.#hasCheckpoint = true;
  }

  /** Deletes the checkpoints with the first write: a training that is to start anew may fail before. */
  discard(): void {
    this.#isDiscarded = true;
  }

  async #discard(): Promise<void> {
    if (!this.#isDiscarded) return;
    this.#isDiscarded = false;
    await this.#checkpoints.discard();
    this.#hasCheckpoint = false;
  }

  async close(): Promise<void> {
    await this.#logs?.close();
    this.#logs = undefined;
  }
}
