/** mlp cache: lists and deletes the files that data.cache makes. */
import { basename } from 'node:path';
import { clearCaches, type ListedCache, listCaches } from '../data/cache/cacheFolder.js';
import { defaultCacheFolder } from '../data/dataset/datasetCaches.js';
import { formatTable } from '../report/table.js';
import { counted, formatBytes, formatCount, printable } from '../text.js';
import type { CommonOptions } from './options.js';
import { note, print, toJson } from './output.js';
import { displayOf } from './terminal.js';

export interface CacheOptions extends CommonOptions {
  readonly clear?: boolean;
}

export async function run(folder = defaultCacheFolder(), options: CacheOptions): Promise<void> {
  const caches = listCaches(folder);
  if (options.clear) clearCaches(folder, caches);
  const bytes = caches.reduce((sum, cache) => sum + cache.bytes, 0);
  if (options.json) {
    const deleted = options.clear === true;
    print(toJson({ folder, bytes, deleted, caches: caches.map(jsonOf) }, 2));
    return;
  }
  if (caches.length === 0) {
    note(`found no caches in ${printable(folder)}`);
    return;
  }
  const { columns } = process.stdout;
  const width = columns ? columns : Number.POSITIVE_INFINITY;
  const display = { ...(await displayOf(process.stdout, options.color)), width };
  print(formatTable(COLUMNS, caches.map(cellsOf), display));
  const all = `${counted(caches.length, 'cache')} in ${printable(folder)}, ${formatBytes(bytes)}`;
  note(options.clear ? `deleted ${all}` : `${all}; --clear deletes them`);
}

const COLUMNS = [
  { header: 'cache' },
  { header: 'written' },
  { header: 'size', align: 'right' },
  { header: 'rows', align: 'right' },
  { header: 'columns', align: 'right' },
  { header: 'type' },
  { header: 'of' },
] as const;

/** Of the hash that a file is called by: enough to tell caches apart. */
const NAME_LENGTH = 12;

function cellsOf({ path, bytes, written, content }: ListedCache): string[] {
  const name = basename(path).slice(0, NAME_LENGTH);
  const start = [name, written.toISOString().slice(0, 16).replace('T', ' '), formatBytes(bytes)];
  if (typeof content === 'string') return [...start, '', '', '', `damaged: ${content}`];
  const { rows, columns, dtype, files } = content;
  return [...start, formatCount(rows), formatCount(columns), dtype, files.map(printable).join(', ')];
}

function jsonOf({ path, bytes, written, content }: ListedCache): object {
  const what = typeof content === 'string' ? { damaged: content } : content;
  return { path, bytes, written: written.toISOString(), ...what };
}
