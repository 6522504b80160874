import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../src/errors.js';
import { hashWeights, loadModel } from '../../src/model/load.js';
import { decodeMetadata } from '../../src/model/metadata.js';
import type { ModelContent } from '../../src/model/model.js';
import type { NamedTensor } from '../../src/model/safetensors/encode.js';
import { errorOf, folderWith } from '../spec/support.js';
import {
  BINARY,
  CONTENT,
  FEATURES,
  modelBytes,
  modelOf,
  networkOf,
  REGRESSION,
  tensorsOf,
  withTexts,
} from './models.js';
import { bytesOf, rewritable } from './safetensorsFile.js';

/** What reading a file of these bytes ends in, its path left out of the message. */
function refusal(
  bytes: Uint8Array,
  { path, write } = rewritable(),
): { exitCode: number; message: string; hint: string | undefined } {
  write(bytes);
  const { exitCode, message, hint } = errorOf(() => loadModel(path));
  expect(message.startsWith(`${path}: `)).toBe(true);
  return { exitCode, message: message.slice(path.length + 2), hint };
}

const messageOf = (bytes: Uint8Array, file = rewritable()) => {
  const { exitCode, message } = refusal(bytes, file);
  expect(exitCode).toBe(ExitCode.data);
  return message;
};

/** The file of a content, some of whose metadata are other texts, or gone. */
const withMetadata = (changes: Record<string, string | undefined>, content: ModelContent = CONTENT) =>
  withTexts(modelBytes(content), changes);

/** The file of a content that no run would write. */
const withContent = (
  changes: Partial<Record<keyof ModelContent, unknown>>,
  content: ModelContent = CONTENT,
) =>
  withMetadata(
    Object.fromEntries(Object.entries(changes).map(([key, value]) => [key, JSON.stringify(value)])),
    content,
  );

/** The file with other tensors. */
const withTensors = (change: (tensors: NamedTensor[]) => NamedTensor[], content: ModelContent = CONTENT) =>
  modelBytes(content, change(tensorsOf(content)));

describe('loadModel', () => {
  it.each([
    ['classes', CONTENT],
    ['two classes', BINARY],
    ['a regression', REGRESSION],
  ])('gives back what was written: %s', (_, content) => {
    for (const dtype of ['float32', 'float64'] as const) {
      const { path, tensors, dtype: read, checksum: _, ...rest } = modelOf(content, dtype);
      expect(path).toMatch(/model\.safetensors$/);
      expect(read).toBe(dtype);
      expect(rest).toEqual(content);
      const written = tensorsOf(content, dtype);
      expect([...tensors.keys()]).toEqual(written.map(({ name }) => name));
      for (const { name, data } of written) expect(tensors.get(name)).toEqual(data.slice());
    }
  });

  it('reads the model of a run by the directory', () => {
    const folder = folderWith({ 'model.safetensors': modelBytes(CONTENT) });
    expect(loadModel(folder).path).toBe(join(folder, 'model.safetensors'));
  });

  it('reads short forms of layers, for they mean the same', () => {
    const { path, write } = rewritable();
    const network = JSON.stringify({ input: 6, layers: [4, 'relu', 1] });
    write(withMetadata({ network, checksum: undefined }, BINARY));
    expect(loadModel(path).network).toEqual(BINARY.network);
  });

  it('takes no notice of entries that it does not know', () => {
    const { path, write } = rewritable();
    write(modelBytes({ ...CONTENT, trained: 'yesterday' } as ModelContent));
    expect(Object.keys(loadModel(path))).toEqual(Object.keys(modelOf(CONTENT)));
  });

  it('reads a category of 100,001 levels: more values than any spec may have', () => {
    const levels = Array.from({ length: 100_001 }, (_, i) => `item ${100_000 + i}`);
    const { features: _, ...rest } = BINARY;
    const content = {
      ...rest,
      network: networkOf([1], levels.length),
      features: [{ kind: 'category', column: 'item', levels }],
    };
    const texts = Object.entries(content).map(([key, value]) => [key, JSON.stringify(value)] as const);
    const metadata = new Map([['format', 'mlp'], ['formatVersion', '1'], ...texts]);
    expect(decodeMetadata(metadata, 'm.safetensors')).toEqual(content);
  });

  it('reads a network without any parameters', () => {
    const { tensors, dtype } = modelOf({
      ...REGRESSION,
      network: networkOf(['relu'], 2),
      features: FEATURES.slice(0, 1),
    });
    expect([tensors.size, dtype]).toEqual([0, 'float32']);
  });
});

describe('the checksum of a model file', () => {
  it('is missing from files of earlier versions: a note says so', () => {
    const file = rewritable();
    file.write(withMetadata({ checksum: undefined }));
    expect(loadModel(file.path).notes).toEqual([
      `${file.path}: an earlier version wrote it without a checksum, so damage may go unnoticed`,
    ]);
    file.write(modelBytes(CONTENT));
    expect(loadModel(file.path).notes).toBeUndefined();
  });

  it('covers the weights, all texts, and entries that are not known', () => {
    const file = rewritable();
    const bytes = modelBytes({ ...CONTENT, trained: 'yesterday' } as ModelContent);
    const other = Buffer.from(bytes);
    other[other.length - 3] ^= 1;
    const harmless = { loss: '"softmax-cross-entropy" ', trained: '"today"', author: '"me"' };
    const changed = Object.entries(harmless).map(([key, text]) => withTexts(bytes, { [key]: text }));
    for (const damaged of [other, ...changed]) {
      expect(messageOf(damaged, file)).toMatch(
        /^found content of checksum [0-9a-f]{64}, expected [0-9a-f]{64}$/,
      );
    }
  });

  it('can not go missing from a file of this version by another name', () => {
    const file = rewritable();
    expect(refusal(withMetadata({ checksum: undefined, checksul: 'f00' }), file)).toMatchObject({
      message: '__metadata__: found the entry "checksul", but no checksum, expected one',
      hint: expect.stringContaining('damaged'),
    });
  });

  it('does not depend on the order in which another program writes the file', () => {
    const file = rewritable();
    const bytes = modelBytes(CONTENT);
    const length = Number(bytes.readBigUInt64LE());
    const { __metadata__: texts, ...tensors } = JSON.parse(bytes.toString('utf8', 8, 8 + length));
    const data = bytes.subarray(8 + length);
    const parts: Buffer[] = [];
    let offset = 0;
    const moved = Object.entries<{ data_offsets: [number, number] }>(tensors)
      .reverse()
      .map(([name, info]) => {
        const part = data.subarray(...info.data_offsets);
        parts.push(part);
        offset += part.length;
        return [name, { ...info, data_offsets: [offset - part.length, offset] }];
      });
    const __metadata__ = Object.fromEntries(Object.entries(texts).reverse());
    const header = { ...Object.fromEntries(moved), __metadata__ };
    file.write(bytesOf({ header, data: Buffer.concat(parts) }));
    expect(loadModel(file.path).notes).toBeUndefined();
  });

  it('is that of run.json for an old file; of a new one, a note tells the difference', () => {
    const weightsSha256 = hashWeights(modelOf(CONTENT));
    const inRun = (model: Buffer, hash: string) =>
      folderWith({ 'model.safetensors': model, 'run.json': { weightsSha256: hash } });
    const old = withMetadata({ checksum: undefined });
    expect(loadModel(inRun(old, weightsSha256)).notes).toHaveLength(1);
    expect(loadModel(inRun(modelBytes(CONTENT), weightsSha256)).notes).toBeUndefined();
    expect(errorOf(() => loadModel(inRun(old, 'f00')))).toMatchObject({
      exitCode: ExitCode.data,
      message: expect.stringContaining(
        `found weights of SHA-256 ${weightsSha256}, expected f00 as in run.json`,
      ),
    });
    expect(loadModel(inRun(modelBytes(CONTENT), 'f00')).notes).toEqual([
      expect.stringContaining('its weights are not those that run.json beside it tells of'),
    ]);
  });
});

describe('loadModel where there is no model', () => {
  it('nothing at the path: 66', () => {
    const path = join(folderWith({}), 'run');
    for (const missing of [path, join(path, 'model.safetensors')]) {
      expect(errorOf(() => loadModel(missing))).toEqual({
        exitCode: ExitCode.noInput,
        message: `${missing}: found nothing there, expected a run directory or a model file`,
        hint: 'mlp train prints the run directory at its end',
      });
    }
  });

  it('an unfinished run: 66, and how to finish it', () => {
    const run = folderWith({ 'config.json': {} });
    expect(errorOf(() => loadModel(run))).toEqual({
      exitCode: ExitCode.noInput,
      message: `${run}: found no model.safetensors in the directory, expected the directory of a finished run`,
      hint: 'the run is unfinished: finish it with mlp train --resume',
    });
  });

  it('a directory that is no run: 66', () => {
    expect(errorOf(() => loadModel(folderWith({})))).toMatchObject({
      exitCode: ExitCode.noInput,
      hint: 'name a directory that mlp train has written',
    });
  });

  it('another file: 65', () => {
    expect(messageOf(Buffer.from('a,b\n1,2\n'))).toMatch(
      /^found a header of \d+ bytes, expected one of at most/,
    );
  });
});

describe('loadModel of metadata', () => {
  it.each(['network', 'task', 'loss', 'header', 'features', 'targets', 'classes'])(
    'without "%s": 65',
    (key) => {
      const message = messageOf(withMetadata({ [key]: undefined }));
      expect(message).toMatch(new RegExp(`^__metadata__\\.${key}: missing; expected `));
    },
  );

  it('without a format: 65, and what the file may be', () => {
    expect(refusal(withMetadata({ format: undefined }))).toEqual({
      exitCode: ExitCode.data,
      message: '__metadata__.format: found nothing, expected "mlp"',
      hint: 'it may be a safetensors file of another program: only models that mlp has trained can be used',
    });
    expect(messageOf(withMetadata({ format: 'pt' }))).toBe('__metadata__.format: found "pt", expected "mlp"');
  });

  it('of another version: 65, and where a newer one comes from', () => {
    expect(refusal(withMetadata({ formatVersion: '2' }))).toMatchObject({
      message: '__metadata__.formatVersion: found "2", expected "1"',
      hint: 'a newer mlp has written it: update mlp',
    });
    for (const formatVersion of [undefined, '', '0', '01', '1.0']) {
      expect(refusal(withMetadata({ formatVersion })).hint).toBeUndefined();
    }
  });

  it.each(['network', 'task', 'loss', 'header', 'features', 'targets', 'classes', 'targetStandardization'])(
    'whose "%s" is of any other kind: 65',
    (key) => {
      const file = rewritable();
      for (const value of [null, 7, -1, 'x', '', true, [], {}, [[]], [null], [{}], { layers: 1 }]) {
        if (key === 'header' && value === true) continue;
        const message = messageOf(withContent({ [key]: value }), file);
        expect(message, JSON.stringify(value)).toMatch(new RegExp(`^__metadata__\\.${key}`));
        expect(message, JSON.stringify(value)).toMatch(/found|missing|unknown/);
        expect(message, JSON.stringify(value)).toMatch(/expected/);
      }
    },
  );

  it('whose text is no JSON: 65, with the place in it', () => {
    expect(messageOf(withMetadata({ task: 'multiclass' }))).toBe(
      '__metadata__.task:1:1: found "multiclass", expected a value',
    );
    expect(messageOf(withMetadata({ features: '[{"kind": 1,}]' }))).toMatch(
      /^__metadata__\.features:1:13: found "}"/,
    );
    expect(messageOf(withMetadata({ targets: '' }))).toBe(
      '__metadata__.targets:1:1: found an empty file, expected JSON',
    );
    expect(messageOf(withMetadata({ network: '['.repeat(100_000) }))).toMatch(
      /found more than 64 levels of nesting/,
    );
  });

  const [age, city, size] = FEATURES;
  const other = (change: object, feature: object = age) => [{ ...feature, ...change }, city, size];

  it.each<[string, unknown, string]>([
    ['a scale of 0', other({ scale: 0 }), '[0].scale: found 0, expected a number above 0'],
    ['a scale below 0', other({ scale: -1 }), '[0].scale: found -1, expected a number above 0'],
    ['no scale', other({ scale: undefined }), '[0].scale: missing; expected a number above 0'],
    ['a shift of text', other({ shift: '1' }), '[0].shift: found "1", expected a number'],
    ['a fill of null', other({ fill: null }), '[0].fill: found null, expected a number'],
    [
      'a false indicator',
      other({ indicator: false }),
      '[0].indicator: found false, expected true, a transform, or no indicator',
    ],
    [
      'a key too many',
      other({ mean: 1 }),
      '[0]: unknown key "mean"; expected one of kind, column, shift, scale, clip, fill, levels, indicator, range',
    ],
    [
      'an unknown kind',
      other({ kind: 'word' }),
      '[0].kind: found "word", expected "numeric", "category", "boolean", "date" or "constant"',
    ],
    ['a column without a name', other({ column: '' }), '[0].column: found "", expected a column\'s name'],
    [
      'a column twice',
      other({ column: 'city' }),
      '[1].column: found "city" a second time, expected each column once',
    ],
    ['a feature that is the target', other({ column: 'kind' }), ''],
    ['no levels', other({ levels: [] }, city), '[0].levels: found [], expected at least one level'],
    [
      'a level twice',
      other({ column: 'c', levels: ['a', 'a'] }, city),
      '[0].levels[1]: found "a", expected different ones in rising order',
    ],
    [
      'levels out of order',
      other({ column: 'c', levels: ['b', 'a'] }, city),
      '[0].levels[0]: found "b", expected different ones in rising order',
    ],
    [
      'numbers out of order',
      other({ column: 'c', levels: ['10', '9'] }, city),
      '[0].levels[0]: found "10", expected different ones in rising order',
    ],
    [
      'a fill that is no level',
      other({ column: 'c', fill: 'x' }, city),
      '[0].fill: found "x", expected one of the levels',
    ],
    ['none', [], ': found [], expected at least one encoding'],
  ])('with features that can not be: %s', (_, features, expected) => {
    const message = messageOf(withContent({ features }));
    expect(message).toBe(
      expected === ''
        ? '__metadata__.targets[0]: found "kind" a second time, expected each column once'
        : `__metadata__.features${expected}`,
    );
  });

  it.each<[string, Partial<Record<keyof ModelContent, unknown>>, ModelContent, string]>([
    [
      'an input narrower than its features',
      { network: networkOf([5, 3], 5) },
      CONTENT,
      'network.input: found 5, expected 6, the width of the features',
    ],
    [
      'no input',
      { network: { layers: [5, 3] } },
      CONTENT,
      'network.input: missing; expected the number of inputs',
    ],
    [
      'an output for each of two classes, of three',
      { network: networkOf([2]) },
      CONTENT,
      'network.layers: found an output width of 2, expected 3 for this multiclass task',
    ],
    [
      'two outputs for a single logit',
      { network: networkOf([2]) },
      BINARY,
      'network.layers: found an output width of 2, expected 1 for this binary task',
    ],
    [
      'a residual that changes the width',
      { network: { input: 6, layers: [{ type: 'residual', layers: [5] }, 3] } },
      CONTENT,
      'network.layers[0]: found a residual that takes 6 units and gives 5, expected as many out as in',
    ],
    [
      'a softmax for another loss',
      { network: networkOf([1, 'softmax']) },
      BINARY,
      'loss: found "binary-cross-entropy", expected softmax-cross-entropy, to which the network\'s last layer belongs',
    ],
    [
      'a loss of another task',
      { loss: 'mean-squared-error' },
      CONTENT,
      'loss: found "mean-squared-error" for a multiclass task, expected softmax-cross-entropy',
    ],
    [
      'classes in a regression',
      { classes: ['a', 'b'] },
      REGRESSION,
      'classes: found 2 classes in a regression, expected none',
    ],
    [
      'three classes in a binary task',
      { task: 'binary' },
      CONTENT,
      'classes: found 3 classes in a binary task, expected 2',
    ],
    ['one class', { classes: ['a'] }, CONTENT, 'classes: found ["a"], expected at least two classes'],
    [
      'a class twice',
      { classes: ['a', 'b', 'b'] },
      CONTENT,
      'classes[2]: found "b", expected different ones in rising order',
    ],
    [
      'labels without their values',
      { task: 'multilabel', classes: undefined },
      BINARY,
      'labelValues: missing, expected 1, one for each target',
    ],
    [
      'more pairs than targets',
      {
        ...{ task: 'multilabel', classes: undefined },
        labelValues: [
          ['no', 'yes'],
          ['0', '1'],
        ],
      },
      BINARY,
      'labelValues: found 2 pairs, expected 1, one for each target',
    ],
    [
      'a label of one value',
      { task: 'multilabel', classes: undefined, labelValues: [['1', '1']] },
      BINARY,
      'labelValues[0][1]: found "1" twice, expected two values',
    ],
    [
      'three values of a label',
      { task: 'multilabel', classes: undefined, labelValues: [['0', '1', '2']] },
      BINARY,
      'labelValues[0]: found ["0","1","2"], expected an array of two values',
    ],
    [
      'classes beside labels',
      { task: 'multilabel', labelValues: [['0', '1']] },
      BINARY,
      'classes: found 2 classes in a multilabel task, expected none',
    ],
    [
      'labels in a regression',
      { labelValues: [['0', '1']] },
      REGRESSION,
      'labelValues: found values of labels in a regression task, expected none',
    ],
    [
      'three classes out of order',
      { classes: ['b', 'a', 'c'] },
      CONTENT,
      'classes[0]: found "b", expected different ones in rising order',
    ],
    [
      'an empty class',
      { classes: ['', 'b', 'c'] },
      CONTENT,
      'classes[0]: found "", expected a class of at least one character',
    ],
    [
      'two targets of classes',
      { targets: ['kind', 'sort'] },
      CONTENT,
      'targets: found 2 targets of a multiclass task, expected 1',
    ],
    [
      'classes to be scaled',
      { targetStandardization: { mean: [0], scale: [1] } },
      CONTENT,
      'targetStandardization: found one in a multiclass task, expected none',
    ],
    [
      'a mean too few',
      { targetStandardization: { mean: [0], scale: [1, 1] } },
      REGRESSION,
      'targetStandardization.mean: found 1 numbers, expected 2, one for each target',
    ],
    [
      'a scale too many',
      { targetStandardization: { mean: [0, 0], scale: [1, 1, 1] } },
      REGRESSION,
      'targetStandardization.scale: found 3 numbers, expected 2, one for each target',
    ],
    [
      'a target scaled by 0',
      { targetStandardization: { mean: [0, 0], scale: [1, 0] } },
      REGRESSION,
      'targetStandardization.scale[1]: found 0, expected a number above 0',
    ],
    [
      'a threshold of another loss',
      { lossParameters: { delta: 1 } },
      REGRESSION,
      'lossParameters.delta: found one of the loss mean-squared-error, expected none',
    ],
    [
      'a loss without its threshold',
      { loss: 'huber' },
      REGRESSION,
      'lossParameters.delta: missing; the loss is huber',
    ],
    [
      'quantiles that fall',
      { loss: 'quantile', lossParameters: { quantiles: [0.5, 0.1] }, targets: ['u'] },
      REGRESSION,
      'lossParameters.quantiles[1]: found 0.1, expected quantiles that rise',
    ],
    [
      'quantiles of two targets',
      { loss: 'quantile', lossParameters: { quantiles: [0.1, 0.5] } },
      REGRESSION,
      'targets: found 2 targets of quantiles, expected 1',
    ],
    [
      'fewer outputs than quantiles',
      {
        loss: 'quantile',
        lossParameters: { quantiles: [0.1, 0.5, 0.9] },
        targets: ['u'],
        targetStandardization: { mean: [0], scale: [1] },
      },
      REGRESSION,
      'network.layers: found an output width of 2, expected 3 for this regression task',
    ],
    [
      'the logarithm of classes',
      { targetTransform: 'log' },
      CONTENT,
      'targetTransform: found one in a multiclass task, expected none',
    ],
    [
      'classes with a range',
      { predictionRanges: [[0, 1]] },
      CONTENT,
      'predictionRanges: found one in a multiclass task, expected none',
    ],
    [
      'a range too few',
      { predictionRanges: [[0, 1]] },
      REGRESSION,
      'predictionRanges: found 1 range, expected 2, one for each target',
    ],
    [
      'a range upside down',
      {
        predictionRanges: [
          [0, 1],
          [1, 0],
        ],
      },
      REGRESSION,
      'predictionRanges[1]: found a least number above the greatest',
    ],
    [
      'names without a header',
      { header: false },
      CONTENT,
      'features[0].column: found "age" without a header, expected a column\'s number from 0',
    ],
    [
      'a number that is none',
      { header: false, features: [{ ...FEATURES[0], column: '01' }] },
      CONTENT,
      'features[0].column: found "01" without a header, expected a column\'s number from 0',
    ],
  ])('that do not fit together: %s', (_, changes, content, expected) => {
    expect(messageOf(withContent(changes, content))).toBe(`__metadata__.${expected}`);
  });
});

describe('loadModel of tensors', () => {
  const change = (name: string, to: Partial<NamedTensor>) => (tensors: NamedTensor[]) =>
    tensors.map((tensor) => (tensor.name === name ? { ...tensor, ...to } : tensor));

  it('that lack one of the network: 65', () => {
    const file = rewritable();
    for (const { name } of tensorsOf(CONTENT)) {
      const bytes = withTensors((tensors) => tensors.filter((tensor) => tensor.name !== name));
      expect(messageOf(bytes, file)).toBe(`found no tensor "${name}", expected all of the network's`);
    }
  });

  it('that are one too many: 65', () => {
    const extra: NamedTensor = { name: 'extra', shape: [], data: new Float32Array(1) };
    expect(messageOf(withTensors((tensors) => [...tensors, extra]))).toBe(
      'tensor "extra": found a tensor that the network does not have',
    );
  });

  it('of another shape, though of as many elements: 65', () => {
    expect(messageOf(withTensors(change('layers.0.weight', { shape: [5, 6] })))).toBe(
      'tensor "layers.0.weight": found shape [5,6], expected [6,5] by the network',
    );
    expect(messageOf(withTensors(change('layers.0.bias', { shape: [1, 5] })))).toBe(
      'tensor "layers.0.bias": found shape [1,5], expected [5] by the network',
    );
  });

  it('of two types: 65', () => {
    expect(messageOf(withTensors(change('layers.0.bias', { data: new Float64Array(5) })))).toBe(
      'tensor "layers.0.bias": found dtype F64, expected F32 as of "layers.0.weight"',
    );
  });

  it('of a type that no network has: 65', () => {
    const bytes = modelBytes({ ...REGRESSION, network: networkOf([2]) });
    const text = bytes.toString('latin1').replaceAll('F32', 'I32');
    expect(messageOf(Buffer.from(text, 'latin1'))).toBe(
      'tensor "layers.0.weight": found dtype I32, expected F32 or F64',
    );
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('that hold %d: 65', (value) => {
    const data = new Float32Array([0, 0, 0, value, 0]);
    expect(messageOf(withTensors(change('layers.1.running_mean', { data })))).toBe(
      `tensor "layers.1.running_mean": found ${value} as element 3, expected finite numbers`,
    );
  });

  it('with a variance below 0: 65', () => {
    const data = new Float32Array([0, 1, -1, 1, 1]);
    expect(messageOf(withTensors(change('layers.1.running_var', { data })))).toBe(
      'tensor "layers.1.running_var": found -1 as element 2, expected finite numbers of at least 0',
    );
  });
});

describe('loadModel of a small file with large claims', () => {
  const memoryOf = (run: () => void) => {
    const before = process.memoryUsage().arrayBuffers;
    run();
    return process.memoryUsage().arrayBuffers - before;
  };

  it.each<[string, Partial<Record<keyof ModelContent, unknown>>, RegExp]>([
    [
      'a layer of 2⁵³ − 1 units',
      { network: { input: 6, layers: [2 ** 53 - 1, 3] } },
      /found shape \[6,5\], expected \[6,9007199254740991\]/,
    ],
    [
      'an input of 2⁵³ − 1',
      { network: { input: 2 ** 53 - 1, layers: [3] } },
      /network\.input: found 9007199254740991, expected 6/,
    ],
    [
      'a thousand layers of a million units',
      { network: { input: 6, layers: [...new Array(1000).fill(1e6), 3] } },
      /tensor "layers/,
    ],
    [
      'residuals sixty deep',
      {
        network: JSON.parse(
          `${'{"input":6,"layers":['}${'{"type":"residual","layers":['.repeat(30)}"relu"${']}'.repeat(30)},3]}`,
        ),
      },
      /tensor "layers/,
    ],
  ])('%s: 65, and no memory is taken for it', (_, changes, expected) => {
    const bytes = withContent(changes);
    expect(memoryOf(() => expect(messageOf(bytes)).toMatch(expected))).toBeLessThan(2 ** 20);
  });
});
