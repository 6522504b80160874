/**
 * One walk over a spec's layers gives names and widths (in units), and checks where a softmax may
 * stand, that a residual keeps its width, that a layer-norm has more than one number, and that
 * nothing is learnt in a sigmoid of the loss.
 */
import { ExitCode, MlpError } from '../errors.js';
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

function outputsOf(spec: LayerSpec, inputs: number | undefined): number | undefined {
  if (spec.type === 'linear') return spec.units;
  if (inputs === undefined) return undefined;
  if (spec.type === 'embedding') return inputs + (spec.columns?.length ?? 0) * (spec.size - 1);
  if (spec.type !== 'numeric-embedding') return inputs;
  return inputs + (spec.columns?.length ?? inputs) * (spec.size - 1);
}

/** What an input of the network is: a number, the number of a level, or anything else. */
export type InputKind = 'number' | 'other' | { readonly levels: number };

/**
 * The layers as the data complete them: an embedding that names no columns takes all inputs of its
 * kind. Layers behind the first one that mixes its inputs are left alone.
 */
export function withInputKinds(layers: readonly LayerSpec[], kinds: readonly InputKind[]): LayerSpec[] {
  let inputs = kinds;
  let isMixed = false;
  return layers.map((spec) => {
    isMixed ||= MIXING.has(spec.type);
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
    if (spec.type === 'embedding' && (spec.columns?.length ?? 0) !== (spec.levels?.length ?? 0)) {
      yield {
        path: [...path, 'levels'],
        message: `found ${spec.levels?.length ?? 0} numbers of levels, expected ${spec.columns?.length ?? 0}, one for each column`,
        hint: 'leave columns and levels out, and the data decide',
      };
    }
    if ((spec.type === 'numeric-embedding' || spec.type === 'embedding') && inputs !== undefined) {
      const beyond = spec.columns?.find((column) => column >= inputs);
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

function units(count: number): string {
  return count === 1 ? '1 unit' : `${count} units`;
}
