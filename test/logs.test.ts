/** --log: TensorBoard's event files, and an MLflow server. */

import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { crc32c, event } from '../src/logs/tensorboard.js';
import { folderOf, mlpHere, SMALL_CSV, smallConfig } from './support/cli.js';

const folder = (changes = {}) => folderOf({ 'config.json': smallConfig(changes), 'data.csv': SMALL_CSV });
const train = (cwd: string, ...args: string[]) => mlpHere(['train', 'config.json', ...args], { cwd });

/** The fields of a protobuf message: number, and an integer, bytes or a float. */
function* fieldsOf(bytes: Buffer): Generator<{ field: number; value: number | Buffer }> {
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at++];
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const field = key >> 3;
    if ((key & 7) === 0) yield { field, value: varint() };
    else if ((key & 7) === 1) {
      yield { field, value: bytes.readDoubleLE(at) };
      at += 8;
    } else if ((key & 7) === 5) {
      yield { field, value: bytes.readFloatLE(at) };
      at += 4;
    } else {
      const length = varint();
      yield { field, value: bytes.subarray(at, at + length) };
      at += length;
    }
  }
}

const first = (bytes: Buffer, wanted: number) =>
  [...fieldsOf(bytes)].find(({ field }) => field === wanted)?.value;

/** The events of a file, as text: `version`, `start of 9`, or `loss/train 8`. */
function eventsOf(path: string): { text: string; value?: number }[] {
  const bytes = readFileSync(path);
  const events: { text: string; value?: number }[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    const message = bytes.subarray(at + 12, at + 12 + length);
    at += 16 + length;
    const step = first(message, 2) ?? 0;
    const [version, summary, session] = [3, 5, 7].map((field) => first(message, field));
    if (version) events.push({ text: String(version) });
    if (session) events.push({ text: `start of ${step}` });
    if (!summary) continue;
    for (const { value } of fieldsOf(summary as Buffer)) {
      const name = first(value as Buffer, 1);
      events.push({ text: `${name} ${step}`, value: first(value as Buffer, 2) as number });
    }
  }
  return events;
}

const eventFiles = (run: string) =>
  readdirSync(run).filter((name) => name.startsWith('events.out.tfevents.'));

describe('--log tensorboard', () => {
  it('has the checksums of RFC 3720', () => {
    expect(crc32c(new Uint8Array(32)).toString(16)).toBe('8a9136aa');
    expect(crc32c(new Uint8Array(32).fill(255)).toString(16)).toBe('62a8ab43');
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)).toString(16)).toBe('46dd794e');
    // The header of a record: a length of 8 bytes, and their checksum, turned and moved.
    const record = Buffer.from(event({ fileVersion: 'brain.Event:2' }));
    const crc = crc32c(record.subarray(0, 8));
    const masked = (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
    expect(record.readUInt32LE(8)).toBe(masked);
    expect(Number(record.readBigUInt64LE(0))).toBe(record.length - 16);
  });

  it('writes the metrics of each epoch and the loss of each step; a resumed run begins another file', async () => {
    const cwd = folder();
    const ran = await train(cwd, '--run', 'run', '--log', 'tensorboard', '--json');
    const epochs = ran.stdout
      .split('\n')
      .flatMap((line) => (line.includes('"epoch"') ? JSON.parse(line) : []));
    const [file] = eventFiles(join(cwd, 'run'));
    const events = eventsOf(join(cwd, 'run', file));
    expect(events[0].text).toBe('brain.Event:2');
    const steps = readFileSync(join(cwd, 'run/steps.csv'), 'utf8').trimEnd().split('\n').slice(1);
    for (const line of steps) {
      const [step, , , loss] = line.split(',');
      const found = events.find(({ text }) => text === `loss/step ${step}`);
      expect(found?.value).toBeCloseTo(Number(loss), 5);
    }
    for (const { step, train, validation, learningRate } of epochs.filter(({ event }) => event === 'epoch')) {
      const valueAt = (name: string) => events.find(({ text }) => text === `${name} ${step}`)?.value;
      expect(valueAt('loss/train')).toBeCloseTo(train.loss, 5);
      expect(valueAt('accuracy/validation')).toBeCloseTo(validation.accuracy, 5);
      expect(valueAt('learning_rate')).toBeCloseTo(learningRate, 5);
    }
    const more = ['--extend', '--set', 'training.epochs=4', '--log', 'tensorboard'];
    expect((await train(cwd, '--resume', 'run', ...more)).code).toBe(0);
    const files = eventFiles(join(cwd, 'run'));
    expect(files).toHaveLength(2);
    const second = eventsOf(join(cwd, 'run', files[1])).map(({ text }) => text);
    expect(second.slice(0, 2)).toEqual(['brain.Event:2', `start of ${steps.length + 1}`]);
  });

  it('names the second training, and changes no bit of a run', async () => {
    const cwd = folder({ training: { epochs: 2, batchSize: 8, refit: true } });
    const [plain, logged] = [
      await train(cwd, '--run', 'a', '--json'),
      await train(cwd, '--run', 'b', '--json', '--log', 'tensorboard'),
    ];
    const hash = /"weightsSha256":"(\w+)"/;
    expect(hash.exec(logged.stdout)?.[1]).toBe(hash.exec(plain.stdout)?.[1]);
    const [file] = eventFiles(join(cwd, 'b'));
    const names = eventsOf(join(cwd, 'b', file)).map(({ text }) => text.split(' ')[0]);
    expect(names).toEqual(expect.arrayContaining(['loss/step', 'refit/loss/step', 'refit/loss/train']));
  });

  it('refuses another log before anything is read', async () => {
    for (const name of ['wandb', 'mlflow', 'mlflow=here', 'mlflow=file:///tmp']) {
      const { code, stderr } = await train(folder(), '--log', name);
      expect([code, stderr]).toEqual([64, expect.stringMatching(/--log: found .* expected/)]);
    }
  });
});

/** A server that answers like MLflow, and keeps what it was told. */
async function startServer(fails: () => boolean = () => false) {
  const asked: { path: string; body: Record<string, unknown> }[] = [];
  const server: Server = createServer((request, response) => {
    let text = '';
    request.on('data', (part) => {
      text += part;
    });
    request.on('end', () => {
      const path = (request.url ?? '').replace('/api/2.0/mlflow/', '').split('?')[0];
      if (fails()) {
        response.writeHead(503).end('busy');
        return;
      }
      asked.push({ path, body: text === '' ? {} : JSON.parse(text) });
      if (path === 'experiments/get-by-name') response.writeHead(404).end('{}');
      else if (path === 'experiments/create') response.end('{"experiment_id":"7"}');
      else if (path === 'runs/create') response.end('{"run":{"info":{"run_id":"r1"}}}');
      else response.end('{}');
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, asked };
}

type Metric = { key: string; value: number; step: number };
const metricsOf = (asked: Awaited<ReturnType<typeof startServer>>['asked']) =>
  asked.flatMap(({ body }) => (body.metrics ?? []) as Metric[]);

describe('--log mlflow=<address>', () => {
  it('creates a run with the config, its metrics and its end', async () => {
    const { url, asked } = await startServer();
    const data = { train: 'data.csv', target: 'y', standardize: { 'a?': true, b: false } };
    const config = smallConfig({ $schema: 'x', data });
    const cwd = folderOf({ 'config.json': config, 'data.csv': SMALL_CSV.replace('a,', 'a?,') });
    expect((await train(cwd, '--run', 'run', '--log', `mlflow=${url}/`)).code).toBe(0);
    const names = asked.flatMap(({ body }) => (body.params ?? []) as { key: string }[]).map(({ key }) => key);
    expect(names.filter((name) => !/^[\w\-. :/]+$/.test(name) || name.includes('schema'))).toEqual([]);
    expect(names).toContain('data.standardize.a_');
    expect(asked.map(({ path }) => path).slice(0, 3)).toEqual([
      'experiments/get-by-name',
      'experiments/create',
      'runs/create',
    ]);
    expect(asked[2].body).toMatchObject({ experiment_id: '7', run_name: 'run' });
    expect(asked[3].body.params).toContainEqual({ key: 'training.epochs', value: '3' });
    const metrics = metricsOf(asked);
    const lastEpoch = readFileSync(join(cwd, 'run/epochs.csv'), 'utf8').trimEnd().split('\n').at(-1);
    const loss = metrics.findLast(({ key }) => key === 'loss/train');
    expect(loss?.value).toBe(Number(lastEpoch?.split(',')[1]));
    expect(asked.at(-1)).toMatchObject({ path: 'runs/update', body: { run_id: 'r1', status: 'FINISHED' } });
  });

  it('keeps what a server does not take, and a resumed run sends it to the same run', async () => {
    let isDown = false;
    const { url, asked } = await startServer(() => isDown && asked.length > 4);
    const cwd = folder();
    isDown = true;
    const log = ['--log', `mlflow=${url}`];
    const { code, stderr } = await train(cwd, '--run', 'run', ...log);
    expect([code, stderr]).toEqual([
      0,
      expect.stringMatching(/warning: MLflow at .*503.* \d+ numbers? not sent/),
    ]);
    const kept = JSON.parse(readFileSync(join(cwd, 'run/mlflow.json'), 'utf8'));
    expect(kept).toMatchObject({ url, runId: 'r1' });
    isDown = false;
    expect((await train(cwd, '--resume', 'run', ...log)).code).toBe(0);
    expect(asked.filter(({ path }) => path === 'runs/create')).toHaveLength(1);
    const steps = readFileSync(join(cwd, 'run/steps.csv'), 'utf8').trimEnd().split('\n').slice(1);
    const sent = metricsOf(asked).filter(({ key }) => key === 'loss/step');
    expect(sent.map(({ step }) => step)).toEqual(steps.map((line) => Number(line.split(',')[0])));
    expect(JSON.parse(readFileSync(join(cwd, 'run/mlflow.json'), 'utf8')).unsent).toEqual([]);
  });

  it('never fails a training where no server is, nor follows a link, nor trusts another address', async () => {
    const cwd = folder();
    const log = ['--log', 'mlflow=http://127.0.0.1:9'];
    const { code, stderr } = await train(cwd, '--run', 'run', ...log);
    expect([code, stderr]).toEqual([0, expect.stringContaining('not sent, and kept in run/mlflow.json')]);
    writeFileSync(join(cwd, 'outside'), 'mine');
    const { url, asked } = await startServer();
    const linked = folder();
    await train(linked, '--run', 'run');
    symlinkSync(join(cwd, 'outside'), join(linked, 'run/mlflow.json'));
    expect((await train(linked, '--resume', 'run', '--log', `mlflow=${url}`)).code).toBe(0);
    expect(readFileSync(join(cwd, 'outside'), 'utf8')).toBe('mine');
    // What was kept for one server is not sent to another.
    const before = metricsOf(asked).length;
    expect((await train(cwd, '--resume', 'run', '--log', `mlflow=${url}`)).code).toBe(0);
    expect(metricsOf(asked).length).toBe(before);
  });
});
