import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folderOf, mlpHere, SMALL_CSV, smallConfig } from '../support/cli.js';
import { projectPath } from '../support/fixtures.js';

const SEED_NETWORK = projectPath('configs/specs/30-1024-512-1.json');

describe('mlp params', () => {
  it('shows the sizes and the 557,057 parameters of 30→1024→512→1', async () => {
    const { code, stdout, stderr } = await mlpHere(['params', SEED_NETWORK, '--batch', '32']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatchInlineSnapshot(`
      "layer     type     output  parameters
      ─────────────────────────────────────
      input               32×30           -
      layers.0  linear  32×1024      31,744
      layers.1  relu    32×1024           -
      layers.2  linear   32×512     524,800
      layers.3  relu     32×512           -
      layers.4  linear     32×1         513
      ─────────────────────────────────────
      total                         557,057

      weights                555,520
      biases                 1,537
      memory in float32      2.23 MB, 8.91 MB while training with Adam
      multiply-adds per row  555,520
      "
    `);
  });

  it('prints the contract as JSON', async () => {
    const { code, stdout } = await mlpHere(['params', SEED_NETWORK, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      batch: 32,
      inputShape: [32, 30],
      layers: [
        { name: 'layers.0', type: 'linear', outputShape: [32, 1024], params: 31_744 },
        { name: 'layers.1', type: 'relu', outputShape: [32, 1024], params: 0 },
        { name: 'layers.2', type: 'linear', outputShape: [32, 512], params: 524_800 },
        { name: 'layers.3', type: 'relu', outputShape: [32, 512], params: 0 },
        { name: 'layers.4', type: 'linear', outputShape: [32, 1], params: 513 },
      ],
      params: { total: 557_057, weights: 555_520, biases: 1_537 },
      bytes: { float32: 2_228_228, trainingWithAdam: 8_912_912 },
      multiplyAddsPerRow: 555_520,
    });
  });

  it('shows residual blocks nested', async () => {
    const spec = {
      input: 4,
      layers: [8, { type: 'residual', layers: [8, 'relu', 8] }, 'relu', 2, 'softmax'],
    };
    const folder = folderOf({ 'spec.json': spec });
    const { stdout } = await mlpHere(['params', 'spec.json', '--batch', '7'], { cwd: folder });
    expect(stdout).toContain(
      'layers.1             residual     7×8         144\n  layers.1.layers.0  linear       7×8          72',
    );
    const { stdout: json } = await mlpHere(['params', 'spec.json', '--json'], { cwd: folder });
    const block = JSON.parse(json).layers[1];
    expect([block.params, block.layers.map(({ params }: { params: number }) => params)]).toEqual([
      144,
      [72, 0, 72],
    ]);
  });

  it('counts the scales and shifts of normalisations, and no running statistics', async () => {
    const folder = folderOf({
      'spec.json': { input: 4, layers: [8, 'batch-norm', 'relu', 'layer-norm', 2] },
    });
    const { stdout } = await mlpHere(['params', 'spec.json', '--json'], { cwd: folder });
    const { layers, params } = JSON.parse(stdout);
    expect(layers.map(({ type, params }: { type: string; params: number }) => [type, params])).toEqual([
      ['linear', 40],
      ['batch-norm', 16],
      ['relu', 0],
      ['layer-norm', 16],
      ['linear', 18],
    ]);
    expect(params).toEqual({ total: 90, weights: 32 + 8 + 8 + 16, biases: 8 + 8 + 8 + 2 });
  });

  it('counts the parameters of all members of an ensemble', async () => {
    const folder = folderOf({ 'spec.json': { input: 4, layers: [8, 'relu', 2], members: 5 } });
    const { stdout } = await mlpHere(['params', 'spec.json', '--json'], { cwd: folder });
    const { members, params, layers } = JSON.parse(stdout);
    expect([members, layers[0].params]).toEqual([5, 40]);
    expect(params).toEqual({ total: 5 * 58, weights: 5 * 48, biases: 5 * 10 });
    const text = await mlpHere(['params', 'spec.json'], { cwd: folder });
    expect(text.stdout).toMatch(/members +×5 +58\n.*total +290/s);
  });

  it('counts shared weights once, and what each member of a batch ensemble has', async () => {
    const members = { count: 5, kind: 'batch-ensemble' };
    const layers = [8, 'relu', { type: 'linear', units: 3, bias: false }, 2];
    const folder = folderOf({ 'spec.json': { input: 4, layers, members } });
    const { stdout } = await mlpHere(['params', 'spec.json', '--json'], { cwd: folder });
    const json = JSON.parse(stdout);
    expect(json.members).toEqual(members);
    // Shared weights, factors of inputs and outputs, biases; the last layer five times.
    const first = 4 * 8 + 5 * (4 + 8);
    const second = 8 * 3 + 5 * (8 + 3);
    expect(json.layers.map(({ params }: { params: number }) => params)).toEqual([
      first + 5 * 8,
      0,
      second,
      5 * (3 * 2 + 2),
    ]);
    expect(json.params).toMatchObject({ weights: first + second + 5 * 6, biases: 5 * 8 + 5 * 2 });
    // A shared weight takes part in a product for each member.
    expect(json.multiplyAddsPerRow).toBe(json.params.weights + 4 * (4 * 8 + 8 * 3));
    const text = await mlpHere(['params', 'spec.json'], { cwd: folder });
    expect(text.stdout).toMatch(/members +batch-ensemble +×5 +-\n.*total/s);
    const three = folderOf({ 'spec.json': { input: 4, layers, members: { ...members, networks: 3 } } });
    const { stdout: ofThree } = await mlpHere(['params', 'spec.json', '--json'], { cwd: three });
    expect(JSON.parse(ofThree).members).toEqual({ ...members, networks: 3 });
    for (const key of ['weights', 'biases', 'total']) {
      expect(JSON.parse(ofThree).params[key]).toBe(3 * json.params[key]);
    }
    expect(JSON.parse(ofThree).multiplyAddsPerRow).toBe(3 * json.multiplyAddsPerRow);
    const table = await mlpHere(['params', 'spec.json'], { cwd: three });
    expect(table.stdout).toMatch(/members +batch-ensemble +×5 +-\n.*networks +×3 +\d+\n.*total/s);
  });

  it('counts past 2^53 exactly', async () => {
    // (2^53 − 1)² weights and 2^53 − 1 biases: 2^106 − 2^53
    const folder = folderOf({
      'spec.json': { input: 9_007_199_254_740_991, layers: [9_007_199_254_740_991] },
    });
    const { code, stdout } = await mlpHere(['params', 'spec.json', '--json'], { cwd: folder });
    expect(code).toBe(0);
    expect(stdout).toContain('"total": 81129638414606672688589750403072');
    const text = await mlpHere(['params', 'spec.json'], { cwd: folder });
    expect(text.stdout).toContain('81,129,638,414,606,672,688,589,750,403,072');
    // The last layer of 255 members, which no number counts exactly.
    const spec = { input: 9_007_199_254_740_991, layers: [9_007_199_254_740_991] };
    const members = { count: 255, kind: 'batch-ensemble' };
    const ensemble = folderOf({ 'spec.json': { ...spec, members } });
    const { stdout: counted } = await mlpHere(['params', 'spec.json', '--json'], { cwd: ensemble });
    expect(counted).toContain(`"total": ${255n * 81_129_638_414_606_672_688_589_750_403_072n}`);
  });

  it('takes a train config, and the input from its data where the network leaves it out', async () => {
    const folder = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
    const { stdout } = await mlpHere(['params', 'config.json', '--json'], { cwd: folder });
    expect(JSON.parse(stdout).params.total).toBe(2 * 4 + 4 + 4 + 1);
  });

  it('exits with 1 when there are more parameters than allowed, and 0 when not', async () => {
    const above = await mlpHere(['params', SEED_NETWORK, '--max-params', '557056']);
    expect(above.code).toBe(1);
    expect(above.stderr).toBe('557,057 parameters: more than the 557,056 allowed\n');
    expect((await mlpHere(['params', SEED_NETWORK, '--max-params', '557057'])).code).toBe(0);
  });

  it.each([
    [['params'], "missing required argument 'spec.json'"],
    [
      ['params', SEED_NETWORK, '--batch', '0'],
      "argument '0' is invalid. expected a whole number of at least 1",
    ],
    [['params', SEED_NETWORK, '--batch', '1.5'], "argument '1.5' is invalid"],
    [['params', SEED_NETWORK, '--max-params', 'x'], "argument 'x' is invalid"],
    [['params', SEED_NETWORK, '--btach', '3'], "unknown option '--btach'"],
    [['parms', SEED_NETWORK], "unknown command 'parms'"],
  ])('%j is a usage error', async (args, message) => {
    const { code, stdout, stderr } = await mlpHere(args);
    expect([code, stdout]).toEqual([64, '']);
    expect(stderr).toContain(`error: `);
    expect(stderr).toContain(message);
    expect(stderr).toContain('hint: ');
  });

  it('asks for the input where only data could tell it', async () => {
    const folder = folderOf({ 'spec.json': { layers: [3] } });
    const { code, stderr } = await mlpHere(['params', join(folder, 'spec.json')]);
    expect(code).toBe(78);
    expect(stderr).toContain(
      'spec.json:1:1: input: missing, expected the number of inputs\nhint: add "input": n',
    );
  });
});
