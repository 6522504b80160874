/**
 * What must hold between the layers of a network: where a softmax may stand, that widths fit where a residual adds, and
 * that a layer-norm has more than one number to normalise.
 * Widths are counted in units; undefined stands for a width that only the data will tell.
 */
import { ExitCode, MlpError } from '../errors.js';
import type { LayerSpec, NetworkSpec } from './network.js';
import { formatPlace, type Path, type Place } from './show.js';

/** Something wrong with a layer; `path` starts at the layers. */
export interface LayerProblem {
  path: Path;
  /** `found …, expected …` */
  message: string;
  hint: string;
}

/** All that is wrong between these layers, from the first layer to the last. `input` is the width of a row. */
export function checkLayers(layers: readonly LayerSpec[], input?: number): LayerProblem[] {
  const problems = misplacedSoftmax(layers, true, []);
  walkWidths(layers, input, [], problems);
  return problems;
}

/**
 * The width after each layer of the network, undefined as long as it isn't known. `input` is the data's, where the spec
 * leaves it to them. Throws MlpError (config) where a width does not fit the layer it comes to; `place` is the network's.
 */
export function outputWidths(
  { layers, input: specInput }: NetworkSpec,
  input: number | undefined = specInput,
  place: Place = { file: 'network', path: [] },
): (number | undefined)[] {
  const problems: LayerProblem[] = [];
  const widths = walkWidths(layers, input, [], problems);
  if (problems.length > 0) {
    const { path, message, hint } = problems[0];
    const at = formatPlace({ file: place.file, path: [...place.path, 'layers', ...path] });
    throw new MlpError(ExitCode.config, `${at}: ${message}`, hint);
  }
  return widths;
}

/** The width of the network's output; undefined where it depends on data not seen yet. */
export function outputWidth(network: NetworkSpec, input?: number): number | undefined {
  return outputWidths(network, input).at(-1);
}

/** Whether the last layer is a softmax, which is then fused into its cross-entropy. */
export function endsInSoftmax({ layers }: NetworkSpec): boolean {
  return layers.at(-1)?.type === 'softmax';
}

/** Whether the last layer is a sigmoid, which binary cross-entropy then takes as its own. */
export function endsInSigmoid({ layers }: NetworkSpec): boolean {
  return layers.at(-1)?.type === 'sigmoid';
}

function misplacedSoftmax(layers: readonly LayerSpec[], isWholeNetwork: boolean, at: Path): LayerProblem[] {
  return layers.flatMap((layer, i) => {
    const path = [...at, i];
    if (layer.type === 'residual') return misplacedSoftmax(layer.layers, false, [...path, 'layers']);
    if (layer.type !== 'softmax' || (isWholeNetwork && i === layers.length - 1)) return [];
    return {
      path,
      message: `found a softmax ${isWholeNetwork ? 'before the end' : 'inside a residual'}, expected it only as the network's last layer`,
      hint: 'remove it: the losses take logits, so a network needs no softmax',
    };
  });
}

function walkWidths(
  layers: readonly LayerSpec[],
  input: number | undefined,
  at: Path,
  problems: LayerProblem[],
): (number | undefined)[] {
  let width = input;
  return layers.map((layer, i) => {
    const path = [...at, i];
    if (layer.type === 'linear') width = layer.units;
    if (layer.type === 'layer-norm' && width === 1) {
      problems.push({
        path,
        message:
          'found a layer-norm of 1 unit, expected at least 2: a number less the mean of itself is always 0',
        hint: 'remove it, or give the layer before it more units',
      });
    }
    if (layer.type === 'residual') {
      const inner = walkWidths(layer.layers, width, [...path, 'layers'], problems).at(-1);
      if (width !== undefined && inner !== undefined && inner !== width) {
        problems.push({
          path,
          message: `found a residual that takes ${units(width)} and gives ${inner}, expected as many out as in`,
          hint: `end its layers with ${units(width)}: its output is added to its input`,
        });
      }
      width ??= inner;
    }
    return width;
  });
}

function units(count: number): string {
  return count === 1 ? '1 unit' : `${count} units`;
}
