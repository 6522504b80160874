/** Damaged model files: header, metadata, weights, lengths. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cut, mutateBytes, mutateJson } from './random.mjs';
import { CSV, projectPath, trainSamples, wideModel } from './samples.mjs';

const FOREIGN = [
  'test/fixtures/earlierVersions/model.safetensors',
  ...['empty', 'network', 'types', 'unreadable'].map(
    (name) => `test/fixtures/safetensors/${name}.safetensors`,
  ),
];
const WEIGHTS = [Number.NaN, Number.POSITIVE_INFINITY, -0, 1e38, -1e38, 1e-45, Number.MAX_VALUE];

export async function createModels(folder, processes) {
  const models = (await trainSamples(folder, processes)).map(({ model }) => model);
  const words = [
    ...new Set(models.flatMap((bytes) => JSON.stringify(split(bytes).header).match(/[\w-]{2,20}/g))),
  ];
  const wide = await wideModel(folder, processes);
  const foreign = FOREIGN.map((path) => readFileSync(projectPath(path)));

  return {
    make(random, input, isSound) {
      const kind = isSound ? models : random.pick([...Array(8).fill(models), foreign, [wide]]);
      let bytes = random.pick(kind);
      // Without a checksum, all that comes after its check is reached.
      if (!isSound && !random.oneIn(3)) bytes = withoutChecksum(bytes);
      for (let left = isSound ? 0 : random.mutations(); left > 0; left--) {
        bytes = cut(mutateModel(random, bytes, [...models, ...foreign], words));
      }
      writeFileSync(join(input, 'm.safetensors'), bytes);
      writeFileSync(join(input, 'data.csv'), CSV);
      const all = [
        ['predict', 'm.safetensors', 'data.csv', '--json'],
        [
          'predict',
          'm.safetensors',
          'data.csv',
          '--keep',
          'all',
          '--bad-rows',
          'blank',
          '-o',
          'out.csv',
          '--force',
        ],
        ['export', 'm.safetensors', '--to', 'onnx', '-o', 'out.onnx', '--force', '--json'],
        ['export', 'm.safetensors', '--to', 'js', '-o', '-'],
        ['export', 'm.safetensors', '--to', 'c', '-o', 'out.c', '--force', '--json'],
        ['evaluate', 'm.safetensors', 'data.csv', '--json'],
        ['evaluate', 'm.safetensors', 'data.csv', '--bad-rows', 'skip'],
      ];
      return { commands: isSound ? all : [random.pick(all), random.pick(all)] };
    },
    owned: (args) => args.filter((arg) => arg.startsWith('out.')),
  };
}

/** The header and the tensors; undefined if the bytes have no such parts. */
function split(bytes) {
  try {
    const end = 8 + Number(bytes.readBigUInt64LE());
    return {
      header: JSON.parse(bytes.toString('utf8', 8, end)),
      text: bytes.toString('utf8', 8, end),
      data: bytes.subarray(end),
    };
  } catch {
    return undefined;
  }
}

function joined(text, data) {
  const header = Buffer.from(text);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, data]);
}

function withoutChecksum(bytes) {
  const parts = split(bytes);
  if (parts?.header?.__metadata__ === undefined) return bytes;
  delete parts.header.__metadata__.checksum;
  return joined(JSON.stringify(parts.header), parts.data);
}

/** A model, or another safetensors file with JSON in its metadata, after one mutation. */
export function mutateModel(random, bytes, others, words) {
  const parts = split(bytes);
  const kind = random.below(8);
  if (parts === undefined || kind === 0) return mutateBytes(random, bytes, others);
  const { header, text, data } = parts;
  const metadata = header?.__metadata__;
  if (kind === 1) return joined(text, mutateWeights(random, data));
  if (kind === 2) return withLength(random, bytes);
  if (kind < 5 || typeof metadata !== 'object' || metadata === null)
    return joined(mutateJson(random, text, words), data);
  const key = random.pick(Object.keys(metadata));
  if (key !== undefined) metadata[key] = mutateJson(random, String(metadata[key]), words);
  return joined(textOf(header), data);
}

function mutateWeights(random, data) {
  const copy = Buffer.from(data);
  for (let left = 1 + random.small(8); left > 0 && copy.length >= 8; left--) {
    const value = random.pick(WEIGHTS);
    if (random.oneIn(2)) copy.writeFloatLE(Math.fround(value), 4 * random.below(copy.length >> 2));
    else copy.writeDoubleLE(value, 8 * random.below(copy.length >> 3));
  }
  return copy;
}

/** A length of the header that its bytes do not have. */
function withLength(random, bytes) {
  const copy = Buffer.from(bytes);
  if (copy.length < 8) return copy;
  const length = copy.readBigUInt64LE();
  const other = random.pick([
    0n,
    1n,
    length - 1n,
    length + 1n,
    BigInt(copy.length),
    100_000_000n,
    2n ** 31n,
    2n ** 53n,
    2n ** 63n,
    2n ** 64n - 1n,
  ]);
  copy.writeBigUInt64LE(BigInt.asUintN(64, other));
  return copy;
}

/** The header as JSON; one that is nested too deeply to be written becomes an array as deep. */
function textOf(header) {
  try {
    return JSON.stringify(header);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return '['.repeat(10_000) + ']'.repeat(10_000);
  }
}
