/** Small checkpoints that say which step they are of. */
import { type EncodedTensors, encodeSafetensors } from '../../../src/model/safetensors/encode.js';
import { type Checkpoint, CheckpointStore } from '../../../src/training/run/checkpoints.js';

export function contentOf(step: number): EncodedTensors {
  return encodeSafetensors(
    [
      { name: 'w', shape: [2], data: new Float32Array([step, 0.5]) },
      { name: 'order', shape: [1], data: new Int32Array([-step]) },
    ],
    { step: `${step}` },
  );
}

export interface Loaded {
  /** The step of the checkpoint that was loaded; undefined where there is none. */
  readonly step: number | undefined;
  readonly warnings: readonly string[];
  readonly checkpoint: Checkpoint | undefined;
}

/** What a fresh store makes of a folder. */
export async function load(folder: string): Promise<Loaded> {
  const warnings: string[] = [];
  const checkpoint = await new CheckpointStore(folder).load((sentence) => warnings.push(sentence));
  const step = checkpoint && Number(checkpoint.metadata.get('step'));
  return { step, warnings, checkpoint };
}
