/** mlp params: every layer's output size and parameters, and the totals, from the spec alone. */
import { Command } from 'commander';
import type { LayerShape, NetworkShape } from '../network/shape.js';
import type { LoadedNetworkSpec } from '../spec/load.js';
import { bigCount, positiveInteger } from './options.js';

interface ParamsOptions {
  batch: number;
  maxParams?: bigint;
  json?: boolean;
  color: boolean;
}

/** Adam keeps a gradient and two moments beside each parameter. */
const ADAM_COPIES = 4n;
const FLOAT32_BYTES = 4n;

export function paramsCommand(): Command {
  return new Command('params')
    .description("print every layer's output size and number of parameters, and the totals")
    .argument('<spec.json>', 'a network spec or a train config')
    .option('--batch <n>', 'rows in a batch', positiveInteger, 32)
    .option('--max-params <n>', 'exit with 1 when there are more parameters', bigCount)
    .action(run);
}

async function run(path: string, options: ParamsOptions): Promise<void> {
  const { loadNetworkSpec } = await import('../spec/load.js');
  const { checkWidths } = await import('../spec/widths.js');
  const { networkShape } = await import('../network/shape.js');
  const loaded = loadNetworkSpec(path);
  const inputs = loaded.network.input ?? (await inputsOfData(loaded));
  checkWidths(loaded.network, inputs, loaded.networkPlace);
  const shape = networkShape(loaded.network, inputs);

  if (options.json) {
    const { print, toJson } = await import('./output.js');
    print(toJson(jsonOf(shape, options.batch), 2));
  } else {
    await printTable(shape, options);
  }
  const total = shape.weights + shape.biases;
  if (options.maxParams === undefined || total <= options.maxParams) return;
  const { note } = await import('./output.js');
  const { formatCount } = await import('../text.js');
  const { ExitCode } = await import('../errors.js');
  note(`${formatCount(total)} parameters: more than the ${formatCount(options.maxParams)} allowed`);
  process.exitCode = ExitCode.checkFailed;
}

/** The number of feature columns, where a train config leaves the input to its data. */
async function inputsOfData({ config, directory, path }: LoadedNetworkSpec): Promise<number> {
  if (config) {
    const { loadDataset } = await import('../data/dataset/loadDataset.js');
    return (await loadDataset(config, directory, path)).featureNames.length;
  }
  const { ExitCode, MlpError } = await import('../errors.js');
  throw new MlpError(
    ExitCode.config,
    `${path}: input: missing, expected the width of a row`,
    'add "input": n, or give a train config: its data say it',
  );
}

function jsonOf(shape: NetworkShape, batch: number) {
  const layerJson = ({ name, type, outputs, weights, biases, layers }: LayerShape): object => ({
    name,
    type,
    outputShape: [batch, outputs],
    params: weights + biases,
    ...(layers && { layers: layers.map(layerJson) }),
  });
  const total = shape.weights + shape.biases;
  return {
    batch,
    inputShape: [batch, shape.inputs],
    layers: shape.layers.map(layerJson),
    params: { total, weights: shape.weights, biases: shape.biases },
    bytes: { float32: total * FLOAT32_BYTES, trainingWithAdam: total * FLOAT32_BYTES * ADAM_COPIES },
    // Each weight takes part in one multiply-add for each row.
    multiplyAddsPerRow: shape.weights,
  };
}

async function printTable(shape: NetworkShape, { batch, color }: ParamsOptions): Promise<void> {
  const { formatBytes, formatCount } = await import('../text.js');
  const { formatTable } = await import('../report/table.js');
  const { displayOf } = await import('./terminal.js');
  const { print } = await import('./output.js');
  // Never clipped: the numbers are what was asked for.
  const display = { ...(await displayOf(process.stdout, color)), width: Number.POSITIVE_INFINITY };
  const times = display.ascii ? 'x' : '×';

  const rowOf = (layer: LayerShape, depth: number): string[][] => [
    [
      `${'  '.repeat(depth)}${layer.name}`,
      layer.type,
      `${batch}${times}${layer.outputs}`,
      layer.weights + layer.biases > 0n ? formatCount(layer.weights + layer.biases) : '-',
    ],
    ...(layer.layers ?? []).flatMap((inner) => rowOf(inner, depth + 1)),
  ];
  const total = shape.weights + shape.biases;
  const bytes = total * FLOAT32_BYTES;
  print(
    formatTable(
      [
        { header: 'layer' },
        { header: 'type' },
        { header: 'output', align: 'right' },
        { header: 'parameters', align: 'right' },
      ],
      [
        ['input', '', `${batch}${times}${shape.inputs}`, '-'],
        ...shape.layers.flatMap((layer) => rowOf(layer, 0)),
      ],
      display,
      { footer: [['total', '', '', formatCount(total)]] },
    ),
  );
  print(`
weights                ${formatCount(shape.weights)}
biases                 ${formatCount(shape.biases)}
memory in float32      ${formatBytes(bytes)}, ${formatBytes(bytes * ADAM_COPIES)} while training with Adam
multiply-adds per row  ${formatCount(shape.weights)}`);
}
