/** A network spec: the width of a row and the layers, with the rules that hold between layers. */
import { object, text, wholeNumber } from './fields.js';
import { type LayerInput, type LayerSpec, layersSchema } from './layerSpec.js';
import { checkLayers } from './widths.js';

/** The most networks of an ensemble. */
const MOST_MEMBERS = 256;

export interface NetworkSpec {
  /** Width of a row; a train config may leave it to the data. */
  input?: number;
  layers: LayerSpec[];
  /** Networks of these layers, trained side by side; one if left out. */
  members?: number;
}

export interface NetworkInput {
  /** Number of features; a train config may leave it to the data. */
  input?: number;
  layers: LayerInput[];
  /** Networks of these layers that are trained side by side and averaged; one if left out. */
  members?: number;
}

/** A network spec with layers in their long form; `$schema` is dropped. */
export const networkSchema = object(
  {
    $schema: text('the address of a JSON Schema').exactOptional().describe('Ignored. Editors read it.'),
    input: wholeNumber(1)
      .exactOptional()
      .describe('Number of features. A train config may leave it out: the data determines it.'),
    layers: layersSchema.describe('The layers, from input to output.'),
    members: wholeNumber(1, MOST_MEMBERS)
      .exactOptional()
      .describe(
        'An ensemble: so many networks of these layers, each with its own weights, are trained side by side on the same batches. Their probabilities (for a regression their outputs) are averaged. One by default.',
      ),
  },
  'an object with "layers", or the path of a spec file',
)
  .meta({ id: 'network', description: 'The layers, from the features to the logits.' })
  .check(({ value, issues }) => {
    for (const { path, message, hint } of checkLayers(value.layers, value.input)) {
      issues.push({ code: 'custom', input: value, path: ['layers', ...path], message, params: { hint } });
    }
  })
  .transform(({ $schema: _, ...network }): NetworkSpec => network);
