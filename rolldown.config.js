/** What the build joins into few files, since Node loads those sooner: zod, threads, the command line. Sources are those of tsc. */
import { relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const DIST = fileURLToPath(new URL('dist', import.meta.url));

/** One file with all that it imports, beside the modules that tsc writes. */
function joined(input, file, output = {}) {
  return { input, platform: 'node', external: ['koffi'], output: { file, format: 'esm', ...output } };
}

/** A module finds files beside its own place, wherever it has gone. */
function placesOf(folder) {
  const from = pathToFileURL(`${DIST}/${folder}/`).href;
  return {
    name: 'places',
    transform(code, id) {
      if (!id.startsWith(DIST) || !code.includes('import.meta.url')) return null;
      const place = relative(fileURLToPath(from), id).replaceAll('\\', '/');
      return {
        code: code.replaceAll('import.meta.url', `new URL(${JSON.stringify(place)}, import.meta.url).href`),
      };
    },
  };
}

/** Commander starts programs of subcommands by it. There are none, and loading it takes as long as half of commander. */
const withoutChildProcess = {
  name: 'without child_process',
  transform: (code, id) =>
    id.endsWith('commander/lib/command.js')
      ? { code: code.replace("require('node:child_process')", '{}') }
      : null,
};

export default [
  joined('src/spec/zod.ts', 'dist/spec/zod.js', { minify: true }),
  joined('src/data/numeric/worker.ts', 'dist/data/numeric/thread.cjs', { format: 'cjs' }),
  joined('src/training/engine/worker.ts', 'dist/training/engine/thread.cjs', { format: 'cjs' }),
  joined('src/model/pool/passWorker.ts', 'dist/model/pool/thread.cjs', { format: 'cjs' }),
  { ...joined('src/export/js/runtime.ts', 'dist/export/js/runtime.js'), platform: 'browser' },
  {
    input: 'dist/cli/main.js',
    platform: 'node',
    external: ['koffi'],
    plugins: [placesOf('program'), withoutChildProcess],
    output: {
      dir: 'dist/program',
      cleanDir: true,
      // Node reads these at once, and ES modules one after the other.
      format: 'cjs',
      entryFileNames: '[name].cjs',
      chunkFileNames: '[name].cjs',
      // One file of what every command needs. Beside it one for each command, and for what several share.
      codeSplitting: { groups: [{ name: 'common', tags: ['$initial'] }] },
    },
  },
];
