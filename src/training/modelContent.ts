/** What a run has to say in its model file. */
import type { Dataset } from '../data/dataset/dataset.js';
import type { ModelContent } from '../model/model.js';
import type { TrainingPlan } from './plan.js';

export function modelContent(plan: TrainingPlan, dataset: Dataset): ModelContent {
  const { classes, targetStandardization } = dataset;
  return {
    network: { ...plan.network, input: plan.inputs },
    task: plan.task,
    loss: plan.loss,
    header: dataset.header,
    features: dataset.encodings,
    targets: dataset.targetNames,
    ...(classes && { classes }),
    ...(targetStandardization && { targetStandardization }),
  };
}
