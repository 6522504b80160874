/** mlp params: every layer's output size and parameters, and the totals, from the spec alone. */
import { ExitCode, MlpError } from '../errors.js';
import { type LayerShape, type NetworkShape, networkShape } from '../network/shape.js';
import { formatTable } from '../report/table.js';
import { readJson } from '../spec/json.js';
import type { LoadedNetworkSpec } from '../spec/loadConfig.js';
import { checkNetworkFile, isTrainConfig } from '../spec/loadNetwork.js';
import type { NetworkSpec } from '../spec/networkSpec.js';
import { hasPreset } from '../spec/preset.js';
import { checkWidths, withInputKinds } from '../spec/widths.js';
import { formatBytes, formatCount } from '../text.js';
import type { CommonOptions } from './options.js';
import { note, print, toJson } from './output.js';
import { displayOf } from './terminal.js';

export interface ParamsOptions extends CommonOptions {
  readonly batch: number;
  readonly maxParams?: bigint;
}

/** Adam keeps a gradient and two moments for each parameter. */
const ADAM_COPIES = 4n;
const FLOAT32_BYTES = 4n;

export async function run(path: string, options: ParamsOptions): Promise<void> {
  const loaded = await load(path);
  const { network, inputs } = await knownNetwork(loaded);
  checkWidths(network, inputs, loaded.where);
  const shape = networkShape(network, inputs);
  if (options.json) print(toJson(jsonOf(shape, options.batch), 2));
  else await printTable(shape, options);

  const total = shape.weights + shape.biases;
  if (options.maxParams === undefined || total <= options.maxParams) return;
  note(`${formatCount(total)} parameters: more than the ${formatCount(options.maxParams)} allowed`);
  process.exitCode = ExitCode.checkFailed;
}

/** A network spec takes a third of the modules of a train config, and a fraction of the time. */
async function load(path: string): Promise<LoadedNetworkSpec> {
  const file = readJson(path);
  if (!isTrainConfig(file.value)) return checkNetworkFile(file, path);
  const { checkNetworkOfConfig } = await import('../spec/loadConfig.js');
  return checkNetworkOfConfig(file, path);
}

/** The network and its inputs; a train config may leave these, or with a preset both, to its data. */
async function knownNetwork({
  network,
  train,
  where,
}: LoadedNetworkSpec): Promise<{ network: NetworkSpec; inputs: number }> {
  if (network.input !== undefined && !hasPreset(train?.config)) return { network, inputs: network.input };
  if (train) {
    // The modules that read data take longer to load than everything else here.
    const { loadDataset } = await import('../data/dataset/loadDataset.js');
    const { completeFor } = await import('../training/plan.js');
    const { loadStart } = await import('../training/start.js');
    const start = await loadStart(train);
    const encodings = start && { encodings: start.model };
    const dataset = await loadDataset(train.config, train.directory, train.where, encodings);
    const { inputKinds } = await import('../data/encoding/encoding.js');
    const whole = completeFor(train, dataset).config.network;
    const kinds = inputKinds(dataset.encodings);
    return { network: { ...whole, layers: withInputKinds(whole.layers, kinds) }, inputs: kinds.length };
  }
  throw new MlpError(
    ExitCode.config,
    `${where(['input'])}: missing, expected the number of inputs`,
    'add "input": n, or use a train config, whose data determine it',
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
    ...((shape.members > 1 || shape.views > 1) && { members: membersJson(shape) }),
    params: { total, weights: shape.weights, biases: shape.biases },
    bytes: { float32: total * FLOAT32_BYTES, trainingWithAdam: total * FLOAT32_BYTES * ADAM_COPIES },
    multiplyAddsPerRow: shape.multiplyAdds,
  };
}

function membersJson({ members, views }: NetworkShape) {
  if (views === 1) return members;
  return { count: views, kind: 'batch-ensemble', ...(members > 1 && { networks: members }) };
}

async function printTable(shape: NetworkShape, { batch, color }: ParamsOptions): Promise<void> {
  // Never clipped: the user asked for these numbers.
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
  const networks = shape.views > 1 ? 'networks' : 'members';
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
      {
        footer: [
          ...(shape.views > 1 ? [['members', 'batch-ensemble', `${times}${shape.views}`, '-']] : []),
          ...(shape.members > 1
            ? [[networks, '', `${times}${shape.members}`, formatCount(total / BigInt(shape.members))]]
            : []),
          ['total', '', '', formatCount(total)],
        ],
      },
    ),
  );
  print(`
weights                ${formatCount(shape.weights)}
biases                 ${formatCount(shape.biases)}
memory in float32      ${formatBytes(bytes)}, ${formatBytes(bytes * ADAM_COPIES)} while training with Adam
multiply-adds per row  ${formatCount(shape.multiplyAdds)}`);
}
