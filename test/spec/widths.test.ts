import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../src/errors.js';
import { expandNetwork } from '../../src/spec/layerSpec.js';
import { checkSchema, formatLocation, type Where } from '../../src/spec/messages.js';
import type { NetworkSpec } from '../../src/spec/networkSpec.js';
import { networkSchema } from '../../src/spec/networkSpec.js';
import { checkWidths, walkLayers, withInputKinds } from '../../src/spec/widths.js';
import { errorOf } from './support.js';

const outputWidths = ({ layers, input }: NetworkSpec, inputs = input) =>
  walkLayers(layers, inputs).map(({ outputs }) => outputs);

const residual = (...layers: unknown[]) => ({ type: 'residual', layers });

const inNetwork: Where = (path) => formatLocation({ file: 'c.json', path: ['network', ...path] });

function network(layers: unknown[], input?: number): NetworkSpec {
  const spec = input === undefined ? { layers } : { input, layers };
  return checkSchema(networkSchema, expandNetwork(spec), (path) => ({ file: 's.json', path }));
}

describe('the widths of layers', () => {
  it('gives the width after every layer', () => {
    expect(outputWidths(network([1024, 'relu', residual(16, 'tanh', 1024), 1], 30))).toEqual([
      1024, 1024, 1024, 1,
    ]);
  });

  it('leaves open what only the data tell, and takes it from them', () => {
    const spec = network(['relu', residual('tanh'), 3]);
    expect(outputWidths(spec)).toEqual([undefined, undefined, 3]);
    expect(outputWidths(spec, 7)).toEqual([7, 7, 3]);
  });

  it('knows the width after a residual whose layers have one', () => {
    expect(outputWidths(network([residual(5), 'relu']))).toEqual([5, 5]);
  });

  it('says both widths where the data do not fit a residual', () => {
    const spec = network([residual(5), 1]);
    expect(errorOf(() => checkWidths(spec, 4, inNetwork))).toEqual({
      exitCode: ExitCode.config,
      message:
        'c.json: network.layers[0]: found a residual that takes 4 units and gives 5, expected as many out as in',
      hint: 'end its layers with 4 units: its output is added to its input',
    });
  });
});

describe('a residual in a spec', () => {
  it.each<[layers: unknown[], input: number | undefined, message: string]>([
    [
      [8, 'relu', residual(4)],
      undefined,
      's.json: layers[2]: found a residual that takes 8 units and gives 4, expected as many out as in',
    ],
    [
      [residual(2, 'relu')],
      1,
      's.json: layers[0]: found a residual that takes 1 unit and gives 2, expected as many out as in',
    ],
    [
      [8, residual(6, residual(7), 8)],
      undefined,
      's.json: layers[1].layers[1]: found a residual that takes 6 units and gives 7, expected as many out as in',
    ],
  ])('must give as many units as it takes: %j', (layers, input, message) => {
    expect(errorOf(() => network(layers, input)).message).toBe(message);
  });
});

describe('a layer-norm', () => {
  it.each<[layers: unknown[], input: number | undefined, place: string]>([
    [[3, 1, 'layer-norm'], undefined, 'layers[2]'],
    [['layer-norm', 3], 1, 'layers[0]'],
    [[1, residual('relu', 'layer-norm')], undefined, 'layers[1].layers[1]'],
  ])('must have more than one unit: %j', (layers, input, place) => {
    expect(errorOf(() => network(layers, input))).toEqual({
      exitCode: ExitCode.config,
      message: `s.json: ${place}: found a layer-norm of 1 unit, expected at least 2: a number minus its own mean is always 0`,
      hint: 'remove it, or give the layer before it more units',
    });
  });

  it('must have more than one unit where the data say the width, too', () => {
    const spec = network(['layer-norm', 'batch-norm', 3]);
    expect(outputWidths(spec, 2)).toEqual([2, 2, 3]);
    expect(errorOf(() => checkWidths(spec, 1, inNetwork)).message).toMatch(
      /^c\.json: network\.layers\[0\]: found a layer-norm/,
    );
  });
});

describe('a softmax', () => {
  it.each<[layers: unknown[], message: string]>([
    [
      ['softmax', 3],
      "s.json: layers[0]: found a softmax before the end, expected it only as the network's last layer",
    ],
    [
      [3, 'softmax', 'softmax'],
      "s.json: layers[1]: found a softmax before the end, expected it only as the network's last layer",
    ],
    [
      [3, residual(3, 'softmax')],
      "s.json: layers[1].layers[1]: found a softmax inside a residual, expected it only as the network's last layer",
    ],
  ])('is refused anywhere but at the end: %j', (layers, message) => {
    expect(errorOf(() => network(layers))).toEqual({
      exitCode: ExitCode.config,
      message,
      hint: 'remove it: the losses take logits, so a network needs no softmax',
    });
  });
});

describe('embeddings', () => {
  it('take the inputs of their kind, which the data know', () => {
    const { layers } = network(['numeric-embedding', 'embedding', 'scale', 3]);
    const kinds = ['number', { levels: 9 }, 'other', 'number', { levels: 12 }] as const;
    const filled = withInputKinds(layers, kinds);
    // Behind two numbers of four values each come the levels and the other input.
    expect(filled.slice(0, 2)).toMatchObject([{ columns: [0, 3] }, { columns: [8, 10], levels: [9, 12] }]);
    expect(outputWidths({ layers: filled }, 5)).toEqual([11, 25, 25, 3]);
    expect(withInputKinds(filled, kinds)).toEqual(filled);
  });

  it('leave inputs alone behind a layer that mixes them, and keep columns that are given', () => {
    const { layers } = network([4, 'numeric-embedding', 2]);
    expect(withInputKinds(layers, ['number', 'other'])).toEqual(layers);
    const given = network([{ type: 'numeric-embedding', columns: [1] }, 2]).layers;
    expect(withInputKinds(given, ['number', 'number'])).toEqual(given);
  });

  it.each([
    [
      [{ type: 'numeric-embedding', columns: [0, 4] }, 2],
      'layers[0].columns: found column 4, expected a number below 4',
    ],
    [
      [{ type: 'embedding', columns: [0, 1], levels: [3] }, 2],
      'layers[0].levels: found 1 numbers of levels, expected 2, one for each column',
    ],
    [
      [{ type: 'embedding', columns: [1, 0], levels: [3, 3] }, 2],
      'layers[0].columns[1]: found 0 behind 1, expected rising columns',
    ],
  ])('must fit their inputs: %j', (layers, message) => {
    expect(errorOf(() => network(layers, 4)).message).toContain(message);
  });
});
