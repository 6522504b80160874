/** Where an editor finds the JSON Schema of a config that lies near this package. */
import { isAbsolute, join, relative, sep } from 'node:path';

const SCHEMA = ['schema', 'config.schema.json'];

/**
 * The path from `folder`, where a config is, to the schema in `packageFolder`, with slashes; undefined where it is out of reach. Within reach is
 * whatever moves together with the package: its own folder, or the project that has it in node_modules. A path to a package that is
 * installed for the whole machine would lead nowhere on another one.
 */
export function schemaPath(folder: string, packageFolder: string): string | undefined {
  const installed = packageFolder.indexOf(`${sep}node_modules${sep}`);
  const home = installed < 0 ? packageFolder : packageFolder.slice(0, installed) || sep;
  const inside = relative(home, folder);
  if (isAbsolute(inside) || inside.split(sep)[0] === '..') return undefined;
  const path = relative(folder, join(packageFolder, ...SCHEMA))
    .split(sep)
    .join('/');
  return path.startsWith('.') ? path : `./${path}`;
}
