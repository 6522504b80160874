/** The program of a model or an ensemble. */

import { predictingTensors } from '../model/calibration.js';
import type { Ensemble } from '../model/ensemble.js';
import { type Model, networkTensors } from '../model/load.js';
import { middleOf, targetOf } from '../model/predictions.js';
import { LOSSES } from '../network/loss.js';
import { networkShape } from '../network/shape.js';
import { columnsOf, encodingsOf } from './encodings.js';
import type { InputColumn, Output, Part, Program, Unit } from './program.js';
import { stepsOf } from './steps.js';

/** @throws MlpError ExitCode.usage if members read a column in ways that exclude each other */
export function describeModel(model: Model | Ensemble): Program {
  const members = 'members' in model ? model.members : [{ model, weight: 1 }];
  const columns = columnsOf(
    members.flatMap(({ model }) => model.features),
    model,
  );
  return {
    dtype: model.dtype,
    columns,
    parts: members.map(({ model, weight }) => partOf(model, weight, columns)),
    output: outputOf(model),
  };
}

function partOf(model: Model, weight: number, columns: readonly InputColumn[]): Part {
  const { network, features, dtype, missingValues } = model;
  const { outputs } = networkShape(network, network.input);
  const isNumber = model.task === 'regression';
  return {
    weight,
    dtype,
    encodings: encodingsOf(features, columns, missingValues === undefined),
    inputs: network.input,
    ...stepsOf(network),
    outputs,
    ...(isNumber && { units: Array.from({ length: outputs }, (_, j) => unitOf(model, j)) }),
    tensors: predictingTensors(model),
    shapes: new Map(networkTensors(model).map(({ name, shape }) => [name, shape])),
  };
}

function unitOf(model: Model, output: number): Unit {
  const { loss, targetTransform, targetStandardization, predictionRanges } = model;
  const target = targetOf(output, model);
  const range = predictionRanges?.[target];
  return {
    ...(LOSSES[loss].link && { link: 'exp' as const }),
    ...(targetStandardization && {
      mean: targetStandardization.mean[target],
      scale: targetStandardization.scale[target],
    }),
    ...(targetTransform && { inverse: targetTransform === 'log' ? ('exp' as const) : ('expm1' as const) }),
    ...(range && { range }),
  };
}

function outputOf({ classes, labelValues, targets, loss, lossParameters = {} }: Model | Ensemble): Output {
  if (classes) return { kind: 'classes', classes };
  if (labelValues) return { kind: 'labels', targets, values: labelValues };
  const { quantiles } = lossParameters;
  if (loss === 'quantile' && quantiles) {
    return { kind: 'quantiles', target: targets[0], quantiles, middle: middleOf({ quantiles }) };
  }
  return { kind: 'numbers', targets };
}
