/** Which losses, and which width of the output, go with a task. */
import type { LayerSpec } from '../spec/network.js';
import type { LossName, Task } from '../spec/train.js';

/** The losses that a task can be trained on, the first of them the usual one. */
export function lossesFor(task: Task): readonly LossName[] {
  switch (task) {
    case 'regression':
      return ['mean-squared-error'];
    case 'binary':
      return ['binary-cross-entropy', 'softmax-cross-entropy'];
    case 'multiclass':
      return ['softmax-cross-entropy'];
  }
}

/** How wide the output of a network with this loss is: one for each target, one for each class, or one for two classes. */
export function outputsFor(loss: LossName, targets: number, classes: number): number {
  switch (loss) {
    case 'mean-squared-error':
      return targets;
    case 'softmax-cross-entropy':
      return classes;
    case 'binary-cross-entropy':
      return 1;
  }
}

/** The loss that the network's last layer is fused into; undefined where it is a layer like any other. */
export function fusedLoss(layers: readonly LayerSpec[]): LossName | undefined {
  switch (layers.at(-1)?.type) {
    case 'softmax':
      return 'softmax-cross-entropy';
    case 'sigmoid':
      return 'binary-cross-entropy';
    default:
      return undefined;
  }
}
