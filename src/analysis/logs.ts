/** Reads the tables that a run has written: epochs.csv, steps.csv and layers.csv. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { readPlainFile } from '../files/plainFile.js';
import { RUN_FILES, statOf } from '../files/runFiles.js';
import type { LayerColumns } from '../report/html/results.js';

/** Of epochs.csv, in bytes: some million epochs. */
const LONGEST_EPOCHS = 2 ** 28;

/** The columns of epochs.csv by name, each [epochs]; an empty cell is NaN. None if there is no file. */
export function readEpochs(run: string): Map<string, Float64Array> {
  const path = join(run, RUN_FILES.epochs);
  if (!statOf(path)) return new Map();
  const text = readPlainFile(path, LONGEST_EPOCHS, 'the metrics of epochs').toString('latin1');
  const [header, ...lines] = text.trimEnd().split('\n');
  const names = header.split(',');
  const columns = names.map(() => new Float64Array(lines.length));
  for (const [i, line] of lines.entries()) {
    const cells = line.split(',');
    for (const [j, column] of columns.entries()) column[i] = cells[j] ? Number(cells[j]) : Number.NaN;
  }
  return new Map(names.map((name, j) => [name, columns[j]]));
}

/** Of layers.csv, in bytes: it has some hundred epochs of each layer. */
const LONGEST_LAYERS = 2 ** 24;

/** What layers.csv tells of each layer, in its order; none if there is no file, or too large a one. */
export function readLayers(run: string): LayerColumns[] {
  const path = join(run, RUN_FILES.layers);
  const found = statOf(path);
  if (!found?.isFile() || found.size > LONGEST_LAYERS) return [];
  const text = readPlainFile(path, LONGEST_LAYERS, 'statistics of layers').toString('latin1');
  const rows = new Map<string, number[][]>();
  for (const line of text.trimEnd().split('\n').slice(1)) {
    const [epoch, layer, norm, , deviation, zeros] = line.split(',');
    const own = rows.get(layer) ?? [];
    own.push([epoch, norm, deviation, zeros].map((cell) => (cell ? Number(cell) : Number.NaN)));
    rows.set(layer, own);
  }
  return [...rows].map(([name, cells]) => {
    const column = (j: number) => Float64Array.from(cells, (row) => row[j]);
    return { name, epoch: column(0), gradientNorm: column(1), deviation: column(2), zeros: column(3) };
  });
}

export interface Steps {
  /** Each [steps]. */
  readonly step: Float64Array;
  readonly learningRate: Float64Array;
  readonly loss: Float64Array;
  /** Whether only some blocks of the file were read. */
  readonly isSample: boolean;
}

/** Blocks of a long file that are read where time is short. */
const BLOCKS = 512;
const BLOCK_BYTES = 8192;

/**
 * The steps of a run; undefined if there are none.
 * @param most bytes to read: of a longer file, blocks at equal distances are read
 */
export function readSteps(run: string, most: number): Steps | undefined {
  const path = join(run, RUN_FILES.steps);
  if (!statOf(path)?.isFile()) return undefined;
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    if (size <= most) return stepsOf([readAt(file, 0, size)], false);
    const blocks = Array.from({ length: BLOCKS }, (_, i) => {
      const at = Math.floor(((size - BLOCK_BYTES) * i) / (BLOCKS - 1));
      return readAt(file, at, BLOCK_BYTES);
    });
    return stepsOf(blocks, true);
  } finally {
    closeSync(file);
  }
}

function readAt(file: number, position: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const count = readSync(file, bytes, done, length - done, position + done);
    if (count === 0) break;
    done += count;
  }
  return bytes.subarray(0, done);
}

/** The whole lines of the blocks: `step,epoch,learning_rate,loss`. */
function stepsOf(blocks: readonly Buffer[], isSample: boolean): Steps | undefined {
  const step: number[] = [];
  const learningRate: number[] = [];
  const loss: number[] = [];
  for (const block of blocks) {
    const lines = block.toString('latin1').split('\n');
    // The first is the header, or the rest of a line; the last is empty, or cut off.
    for (let i = 1; i < lines.length - 1; i++) {
      const [number, , rate, value] = lines[i].split(',');
      if (Number.isNaN(Number(number))) continue;
      step.push(Number(number));
      learningRate.push(Number(rate));
      loss.push(Number(value));
    }
  }
  if (step.length === 0) return undefined;
  const columns = { step, learningRate, loss };
  return { ...mapValues(columns, (values) => Float64Array.from(values)), isSample };
}

function mapValues<Key extends string, From, To>(of: Record<Key, From>, map: (value: From) => To) {
  return Object.fromEntries(Object.entries<From>(of).map(([key, value]) => [key, map(value)])) as Record<
    Key,
    To
  >;
}
