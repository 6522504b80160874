/** Distributions as Optuna's journal has them: JSON in a string. */
import { isObject } from '../spec/json.js';
import { type Distribution, isScalar } from './distribution.js';
import { parsePythonJson } from './pythonJson.js';

export function toOptuna(distribution: Distribution): string {
  if (distribution.kind === 'categorical') {
    return JSON.stringify({ name: 'CategoricalDistribution', attributes: { choices: distribution.labels } });
  }
  const { kind, low, high, log, step = null } = distribution;
  const name = kind === 'int' ? 'IntDistribution' : 'FloatDistribution';
  return JSON.stringify({ name, attributes: { log, step, low, high } });
}

/** Undefined for one that is not known here. */
export function fromOptuna(text: unknown): Distribution | undefined {
  const { name, attributes } = objectIn(text) ?? {};
  if (!isObject(attributes)) return undefined;
  const { choices, low, high, log, step } = attributes;
  if (name === 'CategoricalDistribution') {
    return Array.isArray(choices) && choices.every(isScalar)
      ? { kind: 'categorical', labels: choices }
      : undefined;
  }
  const isKnown = name === 'IntDistribution' || name === 'FloatDistribution';
  if (!isKnown || typeof low !== 'number' || typeof high !== 'number') return undefined;
  const kind = name === 'IntDistribution' ? 'int' : 'float';
  return { kind, low, high, log: log === true, step: typeof step === 'number' ? step : undefined };
}

function objectIn(text: unknown): Record<string, unknown> | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    const value = parsePythonJson(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
