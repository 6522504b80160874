/** The short forms of layers, written out: 10 is {"type": "linear", "units": 10}, "relu" is {"type": "relu"}. */

/** `value` with the layers of a network written out, those of residuals too; anything else is left for the schema to refuse. */
export function expandNetwork(value: unknown): unknown {
  return isObject(value) && Array.isArray(value.layers)
    ? { ...value, layers: value.layers.map(expandLayer) }
    : value;
}

/** `value`, a train config, with its network's layers written out. */
export function expandConfig(value: unknown): unknown {
  return isObject(value) && 'network' in value ? { ...value, network: expandNetwork(value.network) } : value;
}

function expandLayer(value: unknown): unknown {
  if (typeof value === 'number') return { type: 'linear', units: value };
  if (typeof value === 'string') return { type: value };
  return expandNetwork(value);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
