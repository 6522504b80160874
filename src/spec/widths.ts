/**
 * One walk over a spec's layers gives names and widths (in units), and checks where a softmax may
 * stand, that a residual keeps its width, that a layer-norm has more than one number, and that
 * nothing is learnt in a sigmoid of the loss.
 */
import { ExitCode, MlpError } from '../errors.js';
import { listed } from '../text.js';
import type { LayerSpec } from './layerSpec.js';
import type { Path, Where } from './messages.js';

/** A layer of a network with its widths. `Width` includes undefined while only the data know it. */
export interface LayerNode<Width = number> {
  readonly spec: LayerSpec;
  /** `layers.0`, `layers.2.layers.0`, …: its path in the spec and the prefix of its parameters. */
  readonly name: string;
  /** The same path as keys, from the network's `layers` on. */
  readonly path: Path;
  readonly inputs: Width;
  readonly outputs: Width;
  readonly inner: readonly LayerNode<Width>[];
  /** In a batch ensemble, of a linear layer. */
  readonly place?: MemberPlace;
}

/** What a linear layer is to the members of a batch ensemble. */
export interface MemberPlace {
  readonly members: number;
  /** Whether it is the last linear layer, which each member has for itself. */
  readonly isHead: boolean;
  /** How the factors of its inputs start. */
  readonly inputInit: 'ones' | 'random-signs' | 'random-normal';
  /**
   * For each of its inputs the feature that it comes from: those of one start with the same factor.
   * Undefined where every input is a feature of its own.
   */
  readonly inputGroups: () => readonly number[] | undefined;
}

/** Members that share weights. */
export interface MembersSpec {
  count: number;
  kind: 'batch-ensemble';
  /** How many such ensembles, each with its own weights, are trained side by side; 1 if left out. */
  networks?: number;
}

interface NetworkLayers {
  readonly layers: readonly LayerSpec[];
  readonly members?: number | MembersSpec;
}

/** How many networks are trained side by side. */
export function networksOf({ members = 1 }: NetworkLayers): number {
  return typeof members === 'number' ? members : (members.networks ?? 1);
}

/** How many members share the weights of each network; 1 but for batch ensembles. */
export function viewsOf({ members = 1 }: NetworkLayers): number {
  return typeof members === 'number' ? 1 : members.count;
}

/** Walks the layers from the first to the last; `inputs` is the width of a row. */
export function walkLayers(layers: readonly LayerSpec[], inputs: number, at?: Path): LayerNode[];
export function walkLayers(
  layers: readonly LayerSpec[],
  inputs: number | undefined,
  at?: Path,
): LayerNode<number | undefined>[];
export function walkLayers(
  layers: readonly LayerSpec[],
  inputs: number | undefined,
  at: Path = [],
): LayerNode<number | undefined>[] {
  let width = inputs;
  return layers.map((spec, i) => {
    const path = [...at, i];
    const inner = spec.type === 'residual' ? walkLayers(spec.layers, width, [...path, 'layers']) : [];
    const outputs = outputsOf(spec, width) ?? inner.at(-1)?.outputs;
    const layer = { spec, name: `layers.${path.join('.')}`, path, inputs: width, outputs, inner };
    width = outputs;
    return layer;
  });
}

/**
 * Walks the layers as `walkLayers`, and says what each linear layer of a batch ensemble is to its
 * members.
 */
export function walkNetwork(network: NetworkLayers, inputs: number): LayerNode[] {
  const nodes = walkLayers(network.layers, inputs);
  const members = viewsOf(network);
  if (members === 1) return nodes;
  const start = firstForMembers(network.layers);
  const head = nodes.findLast(({ spec }) => spec.type === 'linear');
  const shared = nodes.slice(0, start);
  const isEmbedded = shared.some(({ spec }) => EMBEDDING.has(spec.type));
  let isFirst = true;
  const placed = (node: LayerNode): LayerNode => {
    if (node.inner.length > 0) return { ...node, inner: node.inner.map(placed) };
    if (node.spec.type !== 'linear') return node;
    const base = { members, isHead: node === head, inputGroups: () => undefined };
    if (!isFirst || base.isHead) return { ...node, place: { ...base, inputInit: 'ones' } };
    isFirst = false;
    if (!isEmbedded) return { ...node, place: { ...base, inputInit: 'random-signs' } };
    const inputGroups = () => {
      const features = featuresOf(shared, inputs);
      // An embedding inside a first residual may have made others of them.
      return features.length === node.inputs ? features : undefined;
    };
    return { ...node, place: { ...base, inputInit: 'random-normal', inputGroups } };
  };
  return nodes.map((node, i) => (i < start ? node : placed(node)));
}

/** The first layer that members of a batch ensemble have views for: what is before it, they share. */
export function firstForMembers(layers: readonly LayerSpec[]): number {
  const first = layers.findIndex(({ type }) => MIXING.has(type) || type === 'dropout');
  return first < 0 ? layers.length : first;
}

/** For each output of these layers, which mix nothing, the input that it comes from. */
function featuresOf(nodes: readonly LayerNode[], inputs: number): number[] {
  let features = Array.from({ length: inputs }, (_, input) => input);
  for (const { spec } of nodes) {
    if (spec.type !== 'numeric-embedding' && spec.type !== 'embedding') continue;
    const columns = spec.columns ?? (spec.type === 'embedding' ? [] : [...features.keys()]);
    const chosen = new Set(columns);
    features = [
      ...columns.flatMap((column) => new Array<number>(spec.size).fill(features[column])),
      ...features.filter((_, column) => !chosen.has(column)),
    ];
  }
  return features;
}

function outputsOf(spec: LayerSpec, inputs: number | undefined): number | undefined {
  if (spec.type === 'linear') return spec.units;
  if (inputs === undefined) return undefined;
  if (spec.type === 'embedding') return inputs + (spec.columns?.length ?? 0) * (spec.size - 1);
  if (spec.type !== 'numeric-embedding') return inputs;
  return inputs + (spec.columns?.length ?? inputs) * (spec.size - 1);
}

/** What an input of the network is: a number, the number of a level, or anything else. */
export type InputKind = 'number' | 'other' | LevelsKind;

interface LevelsKind {
  readonly levels: number;
  /** What its one-hot columns hold in the place of 1; 1 if left out. */
  readonly mark?: number;
  /** Its levels, from 1, that have the next inputs for their own. */
  readonly apart?: readonly number[];
}

/**
 * Categories of so many levels and more are numbers of levels where a linear layer can take them. Fewer
 * make one-hot columns, which a product adds up in another order.
 */
const MANY_LEVELS = 1000;

/**
 * From how many levels on one-hot columns of a category are kept as numbers of levels. The layers of a
 * preset are not known before the data: until then, there is one.
 */
export function leastGatheredOf({ network, preset }: { network: NetworkLayers; preset?: unknown }): number {
  const { layers } = network;
  const isKnown = preset === undefined || layers.length > 1;
  const isTaken = isKnown && layers[0]?.type === 'linear' && viewsOf(network) === 1;
  return isTaken ? MANY_LEVELS : Number.POSITIVE_INFINITY;
}

/** The inputs of the dense form of a network with numbers of levels. */
export function denseInputs({ layers: [first] }: NetworkLayers, inputs: number): number {
  return first?.type === 'linear' ? weightRows(first, inputs) : inputs;
}

/** The rows of the weights: one for each level, and one for each other input. */
export function weightRows(
  { levels = [], apart = [] }: { readonly levels?: readonly number[]; readonly apart?: readonly number[][] },
  inputs: number,
): number {
  return levels.reduce((rows, count, j) => rows + count - 1 - (apart[j]?.length ?? 0), inputs);
}

/**
 * The layers as the data complete them: an embedding that names no columns takes all inputs of its
 * kind, and so does a linear layer at the start. Layers behind the first one that mixes its inputs are left alone.
 */
export function withInputKinds(layers: readonly LayerSpec[], kinds: readonly InputKind[]): LayerSpec[] {
  let inputs = kinds;
  let isMixed = false;
  return layers.map((spec, i) => {
    isMixed ||= MIXING.has(spec.type);
    if (i === 0 && spec.type === 'linear') return withLevels(spec, kinds);
    if (isMixed || !(spec.type === 'numeric-embedding' || spec.type === 'embedding')) return spec;
    const isWanted = (kind: InputKind) =>
      spec.type === 'embedding' ? typeof kind === 'object' : kind === 'number';
    const columns = spec.columns ?? [...inputs.keys()].filter((column) => isWanted(inputs[column]));
    const wanted = columns.map((column) => inputs[column]);
    const chosen = new Set(columns);
    const others = inputs.filter((_, column) => !chosen.has(column));
    inputs = [...columns.flatMap(() => new Array<InputKind>(spec.size).fill('other')), ...others];
    if (spec.type === 'numeric-embedding') return { ...spec, columns };
    const levels = wanted.map((kind) => (typeof kind === 'object' ? kind.levels : 1));
    return { ...spec, columns, levels: spec.levels ?? levels };
  });
}

function withLevels(spec: Extract<LayerSpec, { type: 'linear' }>, kinds: readonly InputKind[]): LayerSpec {
  const found = [...kinds.entries()].flatMap(([column, kind]) =>
    typeof kind === 'object' ? [{ column, ...kind }] : [],
  );
  if (found.length === 0 || spec.columns) return spec;
  return {
    ...spec,
    columns: found.map(({ column }) => column),
    levels: found.map(({ levels }) => levels),
    ...(found.some(({ mark }) => mark !== undefined) && { marks: found.map(({ mark = 1 }) => mark) }),
    ...(found.some(({ apart = [] }) => apart.length > 0) && {
      apart: found.map(({ apart = [] }) => [...apart]),
    }),
  };
}

const EMBEDDING: ReadonlySet<LayerSpec['type']> = new Set(['numeric-embedding', 'embedding']);
const MIXING: ReadonlySet<LayerSpec['type']> = new Set(['linear', 'residual']);

/** The layers in order, with the inner layers of each residual in its place. */
export function* leafLayers(layers: readonly LayerNode[]): Generator<LayerNode> {
  for (const layer of layers) {
    if (layer.inner.length > 0) yield* leafLayers(layer.inner);
    else yield layer;
  }
}

interface LayerProblem {
  /** From the network's `layers` on. */
  path: Path;
  /** `found …, expected …` */
  message: string;
  hint: string;
}

/** All mistakes between these layers, from the first layer to the last. */
export function checkLayers(layers: readonly LayerSpec[], inputs: number | undefined): LayerProblem[] {
  return [...layerProblems(walkLayers(layers, inputs), true)];
}

/** What a batch ensemble can't have. */
export function* checkMembers(network: NetworkLayers): Generator<LayerProblem> {
  if (viewsOf(network) === 1) return;
  const { layers } = network;
  if (layers[0]?.type === 'linear' && layers[0].columns) {
    yield {
      path: [0, 'columns'],
      message:
        'found columns of levels in a batch ensemble, expected none: its members have factors for each input',
      hint: 'remove "columns" and "levels", or let "members" be a number',
    };
  }
  const nodes = walkLayers(layers, undefined);
  const isLinear = ({ spec }: { readonly spec: LayerSpec }) => spec.type === 'linear';
  const last = nodes.findLastIndex((node) => isLinear(node) || [...leavesOf(node)].some(isLinear));
  if (last < 0 || !isLinear(nodes[last])) {
    yield {
      path: last < 0 ? [] : [last],
      message: `found ${last < 0 ? 'no linear layer' : 'the last linear layer inside a residual'} in a batch ensemble, expected one at the end that each member has for itself`,
      hint: 'add a linear layer with the outputs at the end, or let "members" be a number',
    };
  }
  for (const node of nodes.slice(firstForMembers(layers)).flatMap((node) => [...leavesOf(node)])) {
    if (node.spec.type !== 'batch-norm') continue;
    yield {
      path: node.path,
      message:
        'found a batch-norm in a batch ensemble, expected none behind the first linear layer: its mean and variance would be those of all members together',
      hint: 'take layer-norm, which normalises each row by itself, or let "members" be a number',
    };
  }
}

function leavesOf<Width>(node: LayerNode<Width>): LayerNode<Width>[] {
  return node.inner.length > 0 ? node.inner.flatMap(leavesOf) : [node];
}

/**
 * @param where names a place in the network
 * @throws MlpError ExitCode.config if a layer does not fit the width of its input
 */
export function checkWidths(
  { layers }: { readonly layers: readonly LayerSpec[] },
  inputs: number,
  where: Where,
): void {
  const [problem] = checkLayers(layers, inputs);
  if (problem === undefined) return;
  const place = where(['layers', ...problem.path]);
  throw new MlpError(ExitCode.config, `${place}: ${problem.message}`, problem.hint);
}

function* layerProblems(
  layers: readonly LayerNode<number | undefined>[],
  isWholeNetwork: boolean,
): Generator<LayerProblem> {
  for (const { spec, path, inputs, inner } of layers) {
    yield* layerProblems(inner, false);
    const isLast = isWholeNetwork && path[0] === layers.length - 1;
    if (spec.type === 'softmax' && !isLast) {
      yield {
        path,
        message: `found a softmax ${isWholeNetwork ? 'before the end' : 'inside a residual'}, expected it only as the network's last layer`,
        hint: 'remove it: the losses take logits, so a network needs no softmax',
      };
    }
    if (spec.type === 'sigmoid' && spec.parametric && isLast) {
      yield {
        path,
        message: 'found a parametric sigmoid at the end, expected a plain one: the loss computes it',
        hint: 'remove "parametric", or the layer: losses take the numbers before it',
      };
    }
    if (spec.type === 'layer-norm' && inputs === 1) {
      yield {
        path,
        message: 'found a layer-norm of 1 unit, expected at least 2: a number minus its own mean is always 0',
        hint: 'remove it, or give the layer before it more units',
      };
    }
    const hasLevels = spec.type === 'embedding' || spec.type === 'linear';
    if (hasLevels && (spec.columns?.length ?? 0) !== (spec.levels?.length ?? 0)) {
      yield {
        path: [...path, 'levels'],
        message: `found ${spec.levels?.length ?? 0} numbers of levels, expected ${spec.columns?.length ?? 0}, one for each column`,
        hint: 'leave columns and levels out, and the data decide',
      };
    }
    if (spec.type === 'linear') yield* levelProblems(spec, path);
    if (spec.type === 'linear' && spec.columns && !(isWholeNetwork && path[0] === 0)) {
      yield {
        path: [...path, 'columns'],
        message: 'found columns of levels in a later layer, expected them only in the first one',
        hint: 'remove "columns" and "levels"',
      };
    }
    if ((hasLevels || spec.type === 'numeric-embedding') && inputs !== undefined) {
      const behind = (j: number) => (spec.type === 'linear' ? (spec.apart?.[j]?.length ?? 0) : 0);
      const beyond = spec.columns?.find((column, j) => column + behind(j) >= inputs);
      if (beyond !== undefined) {
        yield {
          path: [...path, 'columns'],
          message: `found column ${beyond}, expected a number below ${inputs}, the width of the layer's input`,
          hint: 'columns count from 0; leave them out, and the data decide',
        };
      }
    }
    const last = inner.at(-1)?.outputs;
    if (inputs !== undefined && last !== undefined && inputs !== last) {
      yield {
        path,
        message: `found a residual that takes ${units(inputs)} and gives ${last}, expected as many out as in`,
        hint: `end its layers with ${units(inputs)}: its output is added to its input`,
      };
    }
  }
}

/** Of what belongs to columns of levels. */
function* levelProblems(
  { columns = [], levels = [], marks, apart }: Extract<LayerSpec, { type: 'linear' }>,
  path: Path,
): Generator<LayerProblem> {
  for (const [key, list] of Object.entries({ marks, apart })) {
    if (list === undefined || list.length === columns.length) continue;
    yield {
      path: [...path, key],
      message: `found ${list.length}, expected ${columns.length}, one for each column`,
      hint: `leave ${key} out, and the data decide`,
    };
  }
  const wrong = (apart ?? []).findIndex(
    (own, j) =>
      own.some((level) => level < 1 || level > (levels[j] ?? 0)) ||
      (columns[j + 1] !== undefined && columns[j] + own.length >= columns[j + 1]),
  );
  if (wrong < 0) return;
  yield {
    path: [...path, 'apart', wrong],
    message: `found ${listed((apart?.[wrong] ?? []).map(String))}, expected some of the ${levels[wrong] ?? 0} levels, with inputs before the next column`,
    hint: 'leave apart out, and the data decide',
  };
}

function units(count: number): string {
  return count === 1 ? '1 unit' : `${count} units`;
}
