/** What a run directory, which may come from somebody else, makes mlp read elsewhere. */
import { realpathSync } from 'node:fs';
import { basename, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { filesOf, sourcePath } from '../../data/source/source.js';
import { exists, requireAnswer } from '../../files/mounts.js';
import { isLink } from '../../files/ownFiles.js';
import { RUN_FILES } from '../../files/runFiles.js';
import type { LoadedTrainConfig } from '../../spec/loadConfig.js';
import { listed, printable } from '../../text.js';

const MOST_NAMED = 3;

/** A sentence for each file of a run, or with one of these names, that is a symbolic link. */
export function linksOf(run: string, names: readonly string[] = Object.values(RUN_FILES)): string[] {
  return names.flatMap((name) => {
    const path = join(run, name);
    return isLink(path) ? [`${printable(path)} is a link to ${printable(realPath(path))}`] : [];
  });
}

/** A sentence for each key of a run's config that names files outside of the run, or a run. */
export function dataOutside({ config, directory, where }: LoadedTrainConfig): string[] {
  const root = realPath(directory);
  const { data, training } = config;
  const named = [
    ...(['train', 'validation', 'test'] as const).map((split) => [['data', split], data[split]] as const),
    [['training', 'from'], training.from] as const,
  ];
  return named.flatMap(([path, given]) => {
    if (typeof given !== 'string' && !Array.isArray(given)) return [];
    const files = namedBy(given, directory).filter((file) => !isWithin(file, root));
    if (files.length === 0) return [];
    return [`${where(path)} is outside of the run: reading ${listed(files.map(printable), MOST_NAMED)}`];
  });
}

/** Whether a config is that of a run: then its paths may be those of whoever made the run. */
export function isOfRun({ directory, path }: LoadedTrainConfig): boolean {
  const { config, ...others } = RUN_FILES;
  return basename(path) === config && Object.values(others).some((name) => exists(join(directory, name)));
}

/** The real paths of the files; those of patterns if nothing fits them. */
function namedBy(given: string | readonly string[], directory: string): string[] {
  let paths: readonly string[] = [given].flat();
  try {
    paths = filesOf(given, directory);
  } catch {
    // Whoever reads them reports it.
  }
  return paths.filter((path) => path !== '-').map((path) => realPath(sourcePath(path, directory)));
}

function realPath(path: string): string {
  requireAnswer(path);
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
