/** A network spec: the width of a row and the layers, with the rules that hold between layers. */
import { choice, object, text, wholeNumber } from './fields.js';
import { type LayerInput, type LayerSpec, layersSchema } from './layerSpec.js';
import { checkLayers, checkMembers, type MembersSpec } from './widths.js';
import * as z from './zod.js';

/** The most members of an ensemble. */
const MOST_MEMBERS = 256;

const membersExpected = `a whole number from 1 to ${MOST_MEMBERS}, or an object such as {"count": 32, "kind": "batch-ensemble"}`;
const batchEnsemble = object(
  {
    count: wholeNumber(2, MOST_MEMBERS).describe('How many members.'),
    kind: choice(['batch-ensemble']).describe('What the members share.'),
    networks: wholeNumber(1, MOST_MEMBERS)
      .exactOptional()
      .describe(
        'How many such ensembles, each with its own weights, are trained side by side and averaged. Default 1.',
      ),
  },
  membersExpected,
);

export interface NetworkSpec {
  /** Width of a row; a train config may leave it to the data. */
  input?: number;
  layers: LayerSpec[];
  /** Networks of these layers, trained side by side, or members that share weights; one if left out. */
  members?: number | MembersSpec;
}

export interface NetworkInput {
  /** Number of features; a train config may leave it to the data. */
  input?: number;
  layers: LayerInput[];
  /** Networks of these layers that are trained side by side and averaged, or members that share weights. */
  members?: number | MembersSpec;
}

/** A network spec with layers in their long form; `$schema` is dropped. */
export const networkSchema = object(
  {
    $schema: text('the address of a JSON Schema').exactOptional().describe('Ignored. Editors read it.'),
    input: wholeNumber(1)
      .exactOptional()
      .describe('Number of features. A train config may leave it out: the data determines it.'),
    layers: layersSchema.describe('The layers, from input to output.'),
    members: z
      .union([wholeNumber(1, MOST_MEMBERS), batchEnsemble], { error: membersExpected })
      .exactOptional()
      .describe(
        'An ensemble: so many networks of these layers, each with its own weights, are trained side by side on the same batches. Their probabilities (for a regression their outputs) are averaged. With {"count": 32, "kind": "batch-ensemble"} the members share the weights W of their linear layers, and each has its own r, s and b in f(((x ⊙ r)·W) ⊙ s + b), and a last linear layer of its own (TabM of Gorishniy, Kotelnikov and Babenko 2025). It has far fewer parameters than as many networks, and takes about as long. The loss is the mean of theirs. With "networks": 5 there are five such ensembles, each with weights of its own; all members of one hold out the same fold. At the start, r of the first layer is −1 or 1 at random (behind embeddings from N(0, 1), one number for each embedded input), all other r and s are 1. By default as many as data.validation has folds, else one. With the preset, 5 or more each hold out a fold unless data.validation or training.refit is given, and for classes of up to 10,000 rows each network is a batch ensemble of two.',
      ),
  },
  'an object with "layers", or the path of a spec file',
)
  .meta({ id: 'network', description: 'The layers, from the features to the logits.' })
  .check(({ value, issues }) => {
    for (const { path, message, hint } of [
      ...checkLayers(value.layers, value.input),
      ...checkMembers(value),
    ]) {
      issues.push({ code: 'custom', input: value, path: ['layers', ...path], message, params: { hint } });
    }
  })
  .transform(({ $schema: _, ...network }): NetworkSpec => network);
