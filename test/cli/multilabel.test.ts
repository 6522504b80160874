/** Labels through all commands: from a config to a model, its scores and its predictions. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mlpHere, temporaryFolder } from '../support/cli.js';

/** Rows whose labels follow from the features: rain if x is above 0, wind if y is. */
const CSV = [
  'x,y,rain,wind',
  ...Array.from({ length: 60 }, (_, i) => {
    const x = Math.sin(7 * i + 1);
    const y = Math.cos(5 * i);
    return `${x.toFixed(3)},${y.toFixed(3)},${x > 0 ? 'yes' : 'no'},${y > 0 ? 1 : 0}`;
  }),
].join('\n');

const CONFIG = {
  network: { layers: [8, 'tanh', 2, 'sigmoid'] },
  data: { train: 'data.csv', target: ['rain', 'wind'], task: 'multilabel', validation: 0.25 },
  training: { epochs: 60, batchSize: 8, optimizer: { type: 'adam', learningRate: 0.02 } },
  seed: 1,
};

function folderWith(config: object = CONFIG): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'data.csv'), CSV);
  writeFileSync(join(folder, 'c.json'), JSON.stringify(config));
  return folder;
}

/** A folder with a trained run `r`, and what training printed. */
async function trained(config?: object) {
  const cwd = folderWith(config);
  const { code, stdout, stderr } = await mlpHere(['train', 'c.json', '--run', 'r', '--json'], { cwd });
  expect([code, stderr]).toEqual([0, '']);
  const events = stdout.trimEnd().split('\n');
  return { cwd, events: events.map((line) => JSON.parse(line)) };
}

describe('a multilabel task', () => {
  it('learns, and reports accuracy and F1 in each epoch', async () => {
    const { cwd, events } = await trained();
    expect(events[0]).toMatchObject({
      task: 'multilabel',
      loss: 'binary-cross-entropy',
      labelValues: [
        ['no', 'yes'],
        ['0', '1'],
      ],
    });
    expect(Object.keys(events[1].train)).toEqual(['loss', 'accuracy', 'f1']);
    const { train, validation } = events.at(-1);
    expect(train.accuracy).toBeGreaterThan(0.9);
    expect(validation.f1).toBeGreaterThan(0.85);
    expect(readFileSync(join(cwd, 'r', 'epochs.csv'), 'utf8').split('\n')[0]).toContain(
      'train_accuracy,train_f1,validation_loss',
    );
  });

  it('is evaluated by label', async () => {
    const { cwd, events } = await trained();
    const own = JSON.parse((await mlpHere(['evaluate', 'r', '--json'], { cwd })).stdout);
    const { validation } = events.at(-1);
    expect(own.metrics.accuracy).toBe(validation.accuracy);
    expect(own.averages.micro.f1).toBe(validation.f1);
    expect(own.metrics.loss).toBeCloseTo(validation.loss, 5);

    const all = JSON.parse((await mlpHere(['evaluate', 'r', 'data.csv', '--json'], { cwd })).stdout);
    expect(all).toMatchObject({ rows: 60, task: 'multilabel', labels: [{ name: 'rain' }, { name: 'wind' }] });
    expect(Object.keys(all.metrics)).toEqual(['loss', 'accuracy', 'hammingLoss', 'rocAuc']);
    const { stdout } = await mlpHere(['evaluate', 'r', 'data.csv'], { cwd });
    expect(stdout).toMatch(/label +rows +accuracy +precision +recall +F1 +ROC AUC/);
    expect(stdout).toMatch(/all labels right \d+\.\d%, Hamming loss 0\.\d+/);
  });

  it('predicts a decision and a probability for each label', async () => {
    const { cwd } = await trained();
    const { stdout } = await mlpHere(['predict', 'r', 'data.csv'], { cwd });
    const [head, ...rows] = stdout.trimEnd().split('\n');
    expect(head).toBe('prediction_rain,prediction_wind,probability_rain,probability_wind');
    expect(rows).toHaveLength(60);
    for (const row of rows) {
      const [rain, wind, ofRain, ofWind] = row.split(',');
      expect([rain, wind]).toEqual([Number(ofRain) > 0.5 ? 'yes' : 'no', Number(ofWind) > 0.5 ? '1' : '0']);
    }
    const json = (await mlpHere(['predict', 'r', 'data.csv', '--json'], { cwd })).stdout.split('\n')[0];
    const [rain, wind, ofRain, ofWind] = rows[0].split(',');
    expect(JSON.parse(json)).toEqual({
      predictions: { rain, wind },
      probabilities: { rain: Number(ofRain), wind: Number(ofWind) },
    });
  });

  it('has thresholds, for all labels or by name', async () => {
    const { cwd } = await trained();
    const decisions = async (threshold: string) => {
      const { stdout } = await mlpHere(['predict', 'r', 'data.csv', '--threshold', threshold], { cwd });
      const rows = stdout.trimEnd().split('\n').slice(1);
      return rows.map((row) => row.split(',').slice(0, 2).join());
    };
    expect(new Set(await decisions('0'))).toEqual(new Set(['yes,1']));
    expect(new Set(await decisions('1'))).toEqual(new Set(['no,0']));
    const mixed = await decisions('rain=0,wind=1');
    expect(new Set(mixed)).toEqual(new Set(['yes,0']));

    const args = ['evaluate', 'r', 'data.csv', '--threshold', 'rain=0', '--json'];
    const { labels } = JSON.parse((await mlpHere(args, { cwd })).stdout);
    expect(labels[0]).toMatchObject({ predicted: 60, recall: 1 });
    expect(labels[1].accuracy).toBeGreaterThan(0.9);
  });

  it('leaves rows blank that can not be read', async () => {
    const { cwd } = await trained();
    writeFileSync(join(cwd, 'b.csv'), 'x,y\n0.9,0.9\nabc,0.9\n-0.9,-0.9\n');
    const predict = (...args: string[]) =>
      mlpHere(['predict', 'r', 'b.csv', '--bad-rows', 'blank', ...args], { cwd });
    const { code, stdout } = await predict();
    expect(code).toBe(65);
    expect(stdout.split('\n').map((line) => line.split(',').slice(0, 2).join())).toEqual([
      ...['prediction_rain,prediction_wind', 'yes,1', ',', 'no,0', ''],
    ]);
    const lines = (await predict('--json')).stdout.trimEnd().split('\n');
    const documents = lines.map((line) => JSON.parse(line));
    expect(documents.map(({ predictions }) => predictions)).toEqual([
      { rain: 'yes', wind: '1' },
      null,
      { rain: 'no', wind: '0' },
    ]);
  });

  it.each([
    ['hail=0.5', 'found no label "hail" in r/model.safetensors, expected some of "rain", "wind"'],
    ['rain=2', 'expected a number from 0 to 1'],
    ['rain', 'expected a number from 0 to 1'],
  ])('refuses the threshold %s', async (threshold, message) => {
    const { cwd } = await trained();
    const { code, stderr } = await mlpHere(['predict', 'r', 'data.csv', '--threshold', threshold], { cwd });
    expect(code).toBe(64);
    expect(stderr).toContain(message);
  });

  it('stops early by F1, resumes and repeats', async () => {
    const earlyStopping = { monitor: 'validation_f1', patience: 5 };
    const { cwd, events } = await trained({ ...CONFIG, training: { ...CONFIG.training, earlyStopping } });
    expect(events.at(-1)).toMatchObject({ status: 'early-stopped' });
    expect((await mlpHere(['repro', 'r'], { cwd })).code).toBe(0);
  });

  it('gives the same weights when it is resumed', async () => {
    const { cwd, events } = await trained();
    const short = ['train', 'c.json', '--run', 's', '--set', 'training.epochs=30', '--json'];
    expect((await mlpHere(short, { cwd })).code).toBe(0);
    const extend = ['train', 'c.json', '--resume', 's', '--extend', '--set', 'training.epochs=60', '--json'];
    const { code, stdout } = await mlpHere(extend, { cwd });
    expect(code).toBe(0);
    expect(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '').weightsSha256).toBe(
      events.at(-1).weightsSha256,
    );
  });

  it('holds the three gradients of its network against each other', async () => {
    const { code, stdout } = await mlpHere(['gradcheck', 'c.json', '--samples', '5'], { cwd: folderWith() });
    expect([code, stdout]).toEqual([0, expect.stringMatching(/layers\.2\.weight/)]);
  });

  it('reads other spellings of yes and no when it is evaluated, and refuses anything else', async () => {
    const { cwd } = await trained();
    writeFileSync(join(cwd, 'b.csv'), 'x,y,rain,wind\n0.9,0.9,TRUE,on\n-0.9,-0.9,False,0.0\n');
    const { stdout } = await mlpHere(['evaluate', 'r', 'b.csv', '--json'], { cwd });
    expect(JSON.parse(stdout).metrics.accuracy).toBe(1);
    writeFileSync(join(cwd, 'b.csv'), 'x,y,rain,wind\n0.9,0.9,yes,1\n-0.9,-0.9,maybe,0\n');
    const { code, stderr } = await mlpHere(['evaluate', 'r', 'b.csv'], { cwd });
    expect(code).toBe(65);
    expect(stderr).toContain('b.csv:3: column "rain": found "maybe", a third value, expected one of no, yes');
  });

  it.each([
    [{ layers: [3] }, 'found an output width of 3, expected 2: one for each label in data.target'],
    [{ layers: [2, 'softmax'] }, 'found softmax at the end with the loss binary-cross-entropy'],
  ])('refuses the network %j', async (network, message) => {
    const cwd = folderWith({ ...CONFIG, network });
    const { code, stderr } = await mlpHere(['train', 'c.json', '--run', 'r'], { cwd });
    expect(code).toBe(78);
    expect(stderr).toContain(message);
  });
});
