/** What must be the same on all ranks before the first step, in words that an error can show. */
import { createHash, type Hash } from 'node:crypto';
import { type Dataset, isInFile } from '../../data/dataset/dataset.js';
import { chunksOf } from '../../data/featureMatrix.js';
import { FileRows } from '../../data/matrixFile.js';
import { counted } from '../../text.js';
import { version } from '../../version.js';
import type { RunProgress } from '../loop.js';
import { kernelsOf, provenanceOf } from '../run/provenance.js';
import type { PreparedRun } from '../stages.js';

export function sameOnAllRanks({
  config,
  choice,
  threads,
  dataset,
  start,
  from,
  refitFrom,
}: PreparedRun): Record<string, string> {
  const { threads: _, ...rest } = config;
  const versions = { version: version(), node: process.version };
  const provenance = provenanceOf(versions, choice, { threads, ranks: 1 }, []);
  const sha256 = (fill: (hash: Hash) => void) => {
    const hash = createHash('sha256');
    fill(hash);
    return `SHA-256 ${hash.digest('hex')}`;
  };
  return {
    mlp: versions.version,
    node: versions.node,
    config: sha256((hash) => hash.update(JSON.stringify(rest))),
    data: sha256((hash) => hashRows(hash, dataset)),
    kernels: `${kernelsOf(provenance)}, ${counted(threads, 'thread')}`,
    checkpoint: stepOf(from),
    'checkpoint of the refit': stepOf(refitFrom),
    'training.from': start?.origin.checksum ?? 'no model to start from',
  };
}

function stepOf(progress: RunProgress | undefined): string {
  return progress ? `step ${progress.steps}` : 'none';
}

/** In bytes: a hash takes less than 2³¹ at once. */
const PIECE = 2 ** 26;

/** What the network is given: whatever has made other numbers of the files shows in them. */
function hashRows(hash: Hash, { matrix, train, validation, test }: Dataset): void {
  const add = ({ buffer, byteOffset, byteLength }: ArrayBufferView) => {
    for (let at = 0; at < byteLength; at += PIECE) {
      hash.update(new Uint8Array(buffer, byteOffset + at, Math.min(PIECE, byteLength - at)));
    }
  };
  if (isInFile(matrix)) for (const { data } of chunksOf(new FileRows(matrix, 0, matrix.rows))) add(data);
  else for (const { features } of matrix.parts) add(features.data);
  for (const split of [train, validation, test]) {
    hash.update(`${split?.rows} `);
    for (const numbers of [split?.labels, split?.targets, split?.weights]) if (numbers) add(numbers);
  }
}
