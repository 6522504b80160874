import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExitCode, MlpError } from '../../src/errors.js';
import { applyOverrides, parseOverride } from '../../src/spec/overrides.js';
import { errorOf } from './support.js';

describe('parseOverride', () => {
  it.each<[text: string, path: (string | number)[], value: unknown]>([
    ['training.epochs=5', ['training', 'epochs'], 5],
    ['network.layers[0].units=5', ['network', 'layers', 0, 'units'], 5],
    ['network.layers=[4, "relu", 1]', ['network', 'layers'], [4, 'relu', 1]],
    ['data.target=species', ['data', 'target'], 'species'],
    ['data.target="4"', ['data', 'target'], '4'],
    ['data.target=a=b', ['data', 'target'], 'a=b'],
    ['data.target=', ['data', 'target'], ''],
    ['data.standardize=false', ['data', 'standardize'], false],
    ['training.l2=5e-6', ['training', 'l2'], 5e-6],
    ['training.l2=1e999', ['training', 'l2'], '1e999'],
    ['$schema=x', ['$schema'], 'x'],
  ])('reads %s', (text, path, value) => {
    expect(parseOverride(text)).toEqual({ path, value, text });
  });

  const form = 'expected key=value with a key such as training.epochs or network.layers[0].units';

  it.each([
    ['training.epochs', `--set training.epochs: found no "=", ${form}`],
    ['=5', `--set =5: found no key, ${form}`],
    ['.seed=5', `--set .seed=5: found ".seed", ${form}`],
    ['training..epochs=5', `--set training..epochs=5: found "training..epochs", ${form}`],
    ['training.=5', `--set training.=5: found "training.", ${form}`],
    ['layers[x]=5', `--set layers[x]=5: found "layers[x]", ${form}`],
    ['layers[0]units=5', `--set layers[0]units=5: found "layers[0]units", ${form}`],
    ['layers[-1]=5', `--set layers[-1]=5: found "layers[-1]", ${form}`],
    ['[0]=5', `--set [0]=5: found "[0]", ${form}`],
    ['a b=5', `--set a b=5: found "a b", ${form}`],
    [`a${'.a'.repeat(64)}=5`, `--set ${'a.'.repeat(19)}a…: found a key of 65 parts, ${form}`],
    ['network={"layers":[1,]}', '--set network={"layers":[1,]}:1:14: found "]", expected a value'],
    ['data.exclude=["id"', '--set data.exclude=["id":1:6: found the end of the file, expected "," or "]"'],
  ])('refuses %s', (text, message) => {
    expect(errorOf(() => parseOverride(text))).toMatchObject({ exitCode: ExitCode.usage, message });
  });
});

describe('applyOverrides', () => {
  const config = {
    network: { layers: [{ type: 'linear', units: 4 }, { type: 'relu' }] },
    training: { epochs: 3, l2: 0 },
    seed: 0,
  };

  it('sets values, in their order, and leaves the original as it was', () => {
    const before = structuredClone(config);
    expect(applyOverrides(config, ['seed=1', 'seed=2', 'network.layers[0].units=5'])).toEqual({
      ...config,
      network: { layers: [{ type: 'linear', units: 5 }, { type: 'relu' }] },
      seed: 2,
    });
    expect(config).toEqual(before);
  });

  it('makes the objects and arrays that a path needs', () => {
    expect(applyOverrides({}, ['data.exclude[0]=id', 'training.optimizer.learningRate=0.1'])).toEqual({
      data: { exclude: ['id'] },
      training: { optimizer: { learningRate: 0.1 } },
    });
  });

  it('lets an array grow by one at its end, and no further', () => {
    expect(applyOverrides({ exclude: ['a'] }, ['exclude[1]=b', 'exclude[2]=c'])).toEqual({
      exclude: ['a', 'b', 'c'],
    });
    expect(errorOf(() => applyOverrides(config, ['network.layers[9].units=5']))).toMatchObject({
      exitCode: ExitCode.usage,
      message:
        '--set network.layers[9].units=5: found the index 9, expected at most 2: network.layers has 2 elements',
    });
  });

  it('takes steps for epochs and epochs for steps, unless both are set', () => {
    expect(applyOverrides(config, ['training.steps=9'])).toMatchObject({ training: { steps: 9, l2: 0 } });
    expect(applyOverrides(config, ['training.steps=9'])).not.toHaveProperty('training.epochs');
    expect(applyOverrides({ training: { steps: 9 } }, ['training.epochs=2'])).toEqual({
      training: { epochs: 2 },
    });
    expect(applyOverrides(config, ['training.steps=9', 'training.epochs=2'])).toMatchObject({
      training: { steps: 9, epochs: 2 },
    });
  });

  it.each([
    ['seed.x=1', '--set seed.x=1: seed is 0, expected an object'],
    ['training[0]=1', '--set training[0]=1: training is {"epochs":3,"l2":0}, expected an array'],
    [
      'network.layers.units=1',
      '--set network.layers.units=1: network.layers is [{"type":"linear","units":4},{"type":"r…, expected an object',
    ],
  ])('refuses %s, which leads through something else', (text, message) => {
    expect(errorOf(() => applyOverrides(config, [text]))).toMatchObject({
      exitCode: ExitCode.usage,
      message,
    });
  });

  it.each(['__proto__.polluted=1', 'constructor.prototype.polluted=1', 'training.__proto__.polluted=1'])(
    'sets %s as an ordinary key that pollutes nothing',
    (text) => {
      const set = applyOverrides(config, [text]) as Record<string, unknown>;
      expect(({} as Record<string, unknown>).polluted).toBeUndefined();
      expect(Object.getPrototypeOf(set)).toBe(Object.prototype);
      expect(JSON.stringify(set)).toContain('polluted');
    },
  );

  it('throws nothing but MlpErrors, whatever the text', () => {
    const part = fc.constantFrom(
      'training',
      'layers',
      '.',
      '[',
      ']',
      '0',
      '=',
      '{',
      '"',
      '__proto__',
      ' ',
      '1e999',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(part, { maxLength: 8 }).map((all) => all.join('')),
        ),
        (text) => {
          try {
            applyOverrides(config, [text]);
          } catch (error) {
            expect(error).toBeInstanceOf(MlpError);
            expect((error as MlpError).exitCode).toBe(ExitCode.usage);
          }
          expect(Object.keys(Object.prototype)).toEqual([]);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
