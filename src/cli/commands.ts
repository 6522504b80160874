/**
 * All commands. A new one needs an entry here and a module with a function `run` beside this file.
 */
import { Command, Option } from 'commander';
import { ExitCode, MlpError } from '../errors.js';
import { nearest } from '../spec/messages.js';

import { ENSEMBLE_METHODS, ENSEMBLE_METRICS, METHODS, PRESETS } from '../spec/words.js';

import { printable } from '../text.js';
import { version } from '../version.js';
import {
  backendName,
  bigCount,
  byteCount,
  collect,
  commentStart,
  count,
  delimiter,
  encoding,
  positiveInteger,
  threadCount,
  threshold,
} from './options.js';

const CSV = 'a CSV, JSON Lines or Parquet file, plain or gzipped; - reads standard input';
const TABLES = `${CSV}; several files, or a pattern such as 'part-*.csv', are one table`;
const RUN = 'a run directory';
const MODEL = 'a run directory, a model file or an ensemble';

type Example = readonly [command: string, does: string];

// Options that several commands share.
const DELIMITER = new Option(
  '--delimiter <character>',
  'the character between cells: , ; | tab or whitespace (default: detected)',
).argParser(delimiter);
const ENCODING = new Option(
  '--encoding <name>',
  'the encoding of the text, such as windows-1252 (default: detected)',
).argParser(encoding);
const COMMENT = new Option('--comment <character>', 'skip lines that start with this character').argParser(
  commentStart,
);
const SKIP_LINES = new Option('--skip-lines <n>', 'lines above the table that are not part of it').argParser(
  count,
);
const SKIP_ROWS = new Option(
  '--skip-rows <n>',
  'rows below the header that are not data, such as units',
).argParser(count);
const HEADER = new Option('--header', 'the first line holds the column names (default: detected)');
const NO_HEADER = new Option('--no-header', 'the first line is already data');
const TARGET = new Option(
  '--target <column>',
  'the column to predict: its name, or its number from 0 if there is no header',
);
const EXCLUDE = new Option(
  '--exclude <columns>',
  'columns to leave out: names separated by commas, * for any text; may be repeated',
).argParser(collect);
/** How a CSV is written. */
const NOTATION = [DELIMITER, COMMENT, ENCODING, SKIP_LINES, SKIP_ROWS];
/** What changes a config. */
const OVERRIDES = [
  new Option('--set <key=value>', 'override a key of the config; may be repeated').argParser(collect),
  new Option('--backend <name>', 'compute with auto, reference, wasm or blas').argParser(backendName),
  new Option('--threads <n>', 'number of threads, or auto').argParser(threadCount),
  new Option('--deterministic', 'use only kernels that give the same bits on every machine'),
];
/** What a table without a config is read by. */
const TABLE = [TARGET, EXCLUDE, ...NOTATION, HEADER, NO_HEADER];
const THRESHOLD = new Option(
  '--threshold <p>',
  'with two classes: predict the second from this probability on (default: the likelier class); with labels: yes, for all, or by name: rain=0.3,wind=0.6',
).argParser(threshold);
const MAX_UNPACKED = new Option(
  '--max-unpacked <size>',
  'the most that a gzip, a Parquet file or a pipe may hold, such as 20GB (default: of a file 100 times its size, of a pipe 4GB)',
).argParser(byteCount);
const READS_DATA = [
  'inspect',
  'init',
  'train',
  'crossvalidate',
  'sweep',
  'ensemble',
  'repro',
  'evaluate',
  'predict',
  'gradcheck',
  'doctor',
];
const FORCE = new Option('--force', 'overwrite an existing file');

export function createProgram(): Command {
  const program = new Command('mlp')
    .description(
      'Train a multilayer perceptron from a JSON config and a CSV file, and see every number behind it.',
    )
    .version(version(), '-V, --version', 'print the version')
    .showSuggestionAfterError()
    .exitOverride()
    .hook('preAction', (_, command) => requirePaths(command))
    .addHelpText(
      'after',
      `
Exit codes:
  0 done, 1 a check failed, 64 wrong usage, 65 bad data, 66 input not found,
  69 backend unavailable, 70 internal error, 73 cannot create the output,
  74 read or write error, 75 busy (try again), 77 permission denied,
  78 bad config, 129 terminal closed, 130 interrupted, 143 terminated

Examples:
  mlp init houses.csv --target price  # writes houses.json
  mlp train houses.json               # trains, and writes runs/houses-1
  mlp evaluate runs/houses-1          # scores rows the network has not seen`,
    );

  const define = (name: string, summary: string, description: string, ...examples: readonly Example[]) =>
    program.command(name).summary(summary).description(description).addHelpText('after', helpOf(examples));

  program.commandsGroup('Prepare data:');

  addOptions(
    TABLE,
    define(
      'inspect',
      'show what a CSV file contains',
      'Show what a CSV file contains: columns, types, ranges, classes, and possible problems.',
      ['mlp inspect houses.csv', 'every column in a table'],
      ['mlp inspect houses.csv --target price', 'and the target in detail'],
      ['zcat big.csv.gz | mlp inspect - --json', 'the same as JSON'],
    ).argument('<data.csv...>', TABLES),
  ).action(lazy(() => import('./inspect.js')));

  addOptions(
    TABLE,
    define(
      'init',
      'write a train config for a CSV file',
      'Write a ready-to-run train config for a CSV file, and explain every choice.',
      ['mlp init houses.csv --target price', 'writes houses.json'],
      ['mlp init houses.csv --target price -o - > a.json', 'only the config'],
      ['mlp init --sweep houses.json', 'writes houses-sweep.json'],
    )
      .argument('<data.csv...>', TABLES)
      .option(
        '-o, --output <config.json>',
        'the config to write; - prints it (default: <data>.json in this folder)',
      )
      .addOption(
        new Option('--preset <name>', 'tabular: a recipe for tables; plain: a small network, written out')
          .choices(PRESETS)
          .default('tabular'),
      )
      .option('--sweep', 'write a sweep for a train config, named instead of the data')
      .addOption(FORCE),
  ).action(lazy(() => import('./init.js')));

  program.commandsGroup('Train:');

  addOptions(
    OVERRIDES,
    define(
      'train',
      'train a network',
      'Train the network of a config. The run directory gets the model, the metrics of every epoch, the complete config and a checkpoint.',
      ['mlp train iris.json', 'writes runs/iris-1'],
      ['mlp train iris.json --set training.epochs=200', 'overrides one key'],
      ['mlp train iris.json --resume runs/iris-1', 'continues after a stop'],
    ).argument('<config.json>', 'a train config; mlp init writes one'),
  )
    .option('--run <dir>', 'write the results to this directory (default: runs/<config name>-<n>)')
    .option('--from <run>', 'start from the weights and encodings of a run, or of a model file')
    .option('--resume <dir>', 'continue the run in this directory from its last checkpoint')
    .option(
      '--extend',
      'with --resume: train longer than planned, for example with --set training.epochs=200',
    )
    .action(lazy(() => import('./train.js')));

  addOptions(
    OVERRIDES,
    define(
      'crossvalidate',
      'train and score a network on each fold',
      'Divide the rows into folds, train a network for each on the other rows, and score it on the fold. The directory gets a run for each fold, all scores, and a prediction for every row by the network that has not seen it.',
      ['mlp crossvalidate iris.json', 'five folds: runs/iris-cv-1'],
      ['mlp crossvalidate a.json --folds 10 --repeats 3', 'thirty runs'],
      ['mlp crossvalidate a.json --group patient', 'no patient in two folds'],
    )
      .argument('<config.json>', 'a train config; mlp init writes one')
      .option('--folds <n>', 'how many folds (default: 5)', positiveInteger)
      .option(
        '--repeats <n>',
        'divide the rows so many times, each time otherwise (default: 1)',
        positiveInteger,
      )
      .addOption(
        new Option(
          '--as <rows>',
          'what a fold is to its run: test rows, which choose nothing, or validation rows, so that all other rows are trained on (default: test)',
        ).choices(['test', 'validation']),
      )
      .option('--group <column>', 'keep rows with the same value in this column together')
      .option(
        '--order <column>',
        'hold out later rows, by this column of numbers or dates, from earlier ones',
      )
      .option('--ordered', 'the same in the order of the file')
      .option('--no-stratify', 'take no notice of the classes; by default each fold has them in proportion')
      .option(
        '--parallel <n>',
        'how many runs train at once, which changes no result (default: as many as find processors)',
        positiveInteger,
      )
      .option('--run <dir>', 'write the results to this directory (default: runs/<config name>-cv-<n>)')
      .option('--resume <dir>', 'continue the cross-validation in this directory'),
  ).action(lazy(() => import('./crossvalidate.js')));

  addOptions(
    OVERRIDES,
    define(
      'sweep',
      'try settings and keep the best',
      'Try settings of a config, and show which are best. The study directory gets a run for each trial, the config of the best, and study.log, which Optuna reads.',
      ['mlp sweep sweep.json', 'a study'],
      ['mlp sweep a.json --space \'{"seed":{"int":[0,8]}}\'', 'tries nine seeds'],
      ['mlp sweep sweep.json --resume runs/sweep-1', 'after a stop'],
    )
      .argument('<sweep.json>', 'a sweep; or a train config, with --space')
      .option('--space <json>', 'the settings to vary, of the train config that is given instead of a sweep')
      .addOption(
        new Option('--method <name>', 'how settings are chosen (default: as in the sweep, or tpe)').choices(
          METHODS,
        ),
      )
      .option(
        '--metric <name>',
        'what decides which trial is better (default: as in the sweep, or validation_loss)',
      )
      .option('--trials <n>', 'how many trials', positiveInteger)
      .option(
        '--parallel <n>',
        'how many trials train at once (default: as many as the processors can)',
        positiveInteger,
      )
      .option('--run <dir>', 'the directory of the study (default: runs/<sweep name>-<n>)')
      .option('--resume <dir>', 'go on with the study in this directory, also beside other processes'),
  ).action(lazy(() => import('./sweep.js')));

  define(
    'repro',
    'train a run again and compare',
    'Train a run again, in memory only, and check that data, config and weights are the same.',
    ['mlp repro runs/iris-1', 'exit code 1 if anything differs'],
    ['mlp repro runs/iris-1 --json', 'both SHA-256 hashes of the weights'],
  )
    .argument('<run>', RUN)
    .action(lazy(() => import('./repro.js')));

  define(
    'runs',
    'compare runs',
    'Show runs in a table: their scores, and the settings in which they differ. The newest comes first.',
    ['mlp runs', 'all runs in the directory runs'],
    ['mlp runs --sort validation_loss', 'the best first'],
    ['mlp runs runs/study --json', 'those in another directory, as JSON'],
  )
    .argument('[dir...]', 'directories of runs, or runs (default: runs)')
    .option(
      '--sort <key>',
      'run, status, epochs, time, date, a score or a key of the config: the best, smallest or newest first',
    )
    .option('--reverse', 'turn the order around')
    .action(lazy(() => import('./runs.js')));

  define(
    'ensemble',
    'make one model of several',
    'Make one model of several runs, folds or trials: it averages their predictions. Trials of a study are chosen greedily, with replacement, by their validation rows; of other directories all are taken.',
    ['mlp ensemble runs/iris-cv-1 -o best', 'all folds of a cross-validation'],
    ['mlp ensemble runs/a runs/b -o best', 'these runs'],
    ['mlp ensemble runs/study -o best', 'trials of a sweep'],
  )
    .argument('<dir...>', 'runs, studies or cross-validations')
    .requiredOption('-o, --output <dir>', 'the directory to create')
    .addOption(
      new Option(
        '--method <name>',
        'which runs: all, each once; or greedy, those that predict the validation rows best together',
      ).choices(ENSEMBLE_METHODS),
    )
    .addOption(
      new Option('--metric <name>', 'what the greedy choice goes by (default: validation_loss)').choices(
        ENSEMBLE_METRICS,
      ),
    )
    .option('--rounds <n>', 'how many runs are chosen greedily (default: 50)', positiveInteger)
    .action(lazy(() => import('./ensemble.js')));

  program.commandsGroup('Use a trained network:');

  addOptions(
    NOTATION,
    define(
      'evaluate',
      'score a trained network',
      'Score a trained network on all rows of a CSV file, or on the rows that its own run held out.',
      ['mlp evaluate runs/iris-1', 'held-out rows of the run'],
      ['mlp evaluate runs/iris-1 new.csv', 'all rows of new.csv'],
      ['mlp evaluate runs/iris-1 --split train --json', 'training rows, as JSON'],
    )
      .argument('<run>', MODEL)
      .argument('[data.csv]', 'a CSV file with the target column; - reads standard input')
      .addOption(
        new Option(
          '--split <name>',
          'which rows of the run to score; by default test, else validation, else train',
        ).choices(['train', 'validation', 'test']),
      )
      .addOption(THRESHOLD)
      .addOption(
        new Option(
          '--bad-rows <what>',
          'rows that cannot be read: error stops at the first; skip leaves them out (default: as in training)',
        ).choices(['error', 'skip']),
      ),
  ).action(lazy(() => import('./evaluate.js')));

  addOptions(
    NOTATION,
    define(
      'predict',
      'predict the target of every row',
      'Predict the target of every row of a CSV file. The output is CSV or, with --json, one JSON object per row.',
      ['mlp predict runs/iris-1 new.csv', 'prints CSV'],
      ['mlp predict runs/iris-1 new.csv --keep id -o out.csv', 'ids, predictions'],
      ['cat new.csv | mlp predict runs/iris-1 - --json', 'JSON lines'],
    )
      .argument('<run>', MODEL)
      .argument('<data.csv>', CSV)
      .option('-o, --output <file>', 'the file to write (default: standard output)')
      .addOption(FORCE)
      .option(
        '--keep <columns>',
        'copy columns of the data to the output: all, or names separated by commas; may be repeated',
        collect,
      )
      .addOption(THRESHOLD)
      .addOption(
        new Option(
          '--bad-rows <what>',
          'rows that cannot be predicted: error stops at the first; blank leaves their predictions empty, adds a column with the reason, and exits with 65 (default: error)',
        ).choices(['error', 'blank']),
      )
      .option('--no-formula-guard', "do not put ' before text that a spreadsheet would run (= + - @)"),
  ).action(lazy(() => import('./predict.js')));

  program.commandsGroup('Understand and check:');

  define(
    'params',
    'show layer sizes and count parameters',
    'Show the output size and the parameters of every layer, and the totals.',
    ['mlp params iris.json', 'sizes for a batch of 32'],
    ['mlp params iris.json --batch 1', 'sizes for a single row'],
    ['mlp params iris.json --max-params 10000', 'a limit for scripts'],
  )
    .argument('<spec.json>', 'a network spec or a train config')
    .option('--batch <n>', 'rows in a batch', positiveInteger, 32)
    .option('--max-params <n>', 'exit with 1 if there are more parameters than this', bigCount)
    .action(lazy(() => import('./params.js')));

  define(
    'gradcheck',
    'check gradients',
    'Compare three gradients: manual (from the file), analytic (backpropagation) and numeric (differences). Without a file, run all built-in checks.',
    ['mlp gradcheck', 'runs all built-in checks'],
    ['mlp gradcheck graph.json', 'grades a derivation by hand'],
    ['mlp gradcheck iris.json --samples 20', 'checks a network on its own data'],
  )
    .argument('[file.json]', 'a graph with manual derivatives, or a train config')
    .option('--samples <n>', 'check this many elements of each parameter of a network', positiveInteger)
    .option(
      '--backend <name>',
      'compute a network with auto, reference, wasm or blas',
      backendName,
      'reference',
    )
    .action(lazy(() => import('./gradcheck.js')));

  define(
    'doctor',
    "show this machine's features and speed",
    "Show this machine's processor, SIMD, BLAS libraries and speed, and what auto would choose.",
    ['mlp doctor', 'SIMD, BLAS libraries, threads and speed'],
    ['mlp doctor iris.json', 'backend and threads for this config'],
  )
    .argument('[config.json]', 'a train config, to see the choice for it')
    .action(lazy(() => import('./doctor.js')));

  define(
    'schema',
    'print the JSON Schema for editors',
    'Print the JSON Schema with which an editor checks and completes configs.',
    ['mlp schema > config.schema.json', 'for train configs'],
    ['mlp schema network > network.schema.json', 'for network specs'],
    ['mlp schema sweep > sweep.schema.json', 'for the files of mlp sweep'],
  )
    .argument('[kind]', 'config, network or sweep', 'config')
    .action(lazy(() => import('./schema.js')));

  program.helpCommand('help [command]', 'show the help of a command');

  for (const command of program.commands) {
    command
      .optionsGroup('Common options:')
      .option('--json', 'print only JSON on standard output')
      .option('--no-color', 'print without colours')
      .option('--debug', 'print the stack trace of an error');
    if (READS_DATA.includes(command.name())) command.addOption(MAX_UNPACKED);
  }
  for (const command of [program, ...program.commands]) {
    command
      .helpOption('-h, --help', 'show this help')
      .configureOutput({ outputError: (text, write) => write(usageMessage(text, command)) });
  }
  return program;
}

function helpOf(lines: readonly Example[]): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  return `\nExamples:\n${lines.map(([command, does]) => `  ${command.padEnd(width)}  # ${does}`).join('\n')}`;
}

function addOptions(options: readonly Option[], command: Command): Command {
  for (const option of options) command.addOption(option);
  return command;
}

/**
 * An unset variable of a shell gives an empty text, which would name the working directory.
 * @throws MlpError ExitCode.usage
 */
function requirePaths(command: Command): void {
  const options = command.options.filter((option) => /<(?:dir|file|run|config\.json)>/.test(option.flags));
  const given = [
    ...command.registeredArguments.map((argument, i) => [argument.name(), command.processedArgs[i]]),
    ...options.map((option) => [option.long, command.getOptionValue(option.attributeName())]),
  ];
  for (const [name, value] of given) {
    if (![value].flat().includes('')) continue;
    throw new MlpError(ExitCode.usage, `${name}: found an empty text, expected a path`);
  }
}

/** Loads a command's module only when the command runs, so that a small one starts fast. */
function lazy(load: () => Promise<{ run(...args: never[]): Promise<void> }>) {
  return async (...args: unknown[]) => {
    const { maxUnpacked } = (args.at(-1) as Command).opts();
    if (maxUnpacked !== undefined) {
      const { setMaxUnpacked } = await import('../data/source/unpack.js');
      setMaxUnpacked(maxUnpacked);
    }
    await (await load()).run(...(args as never[]));
  };
}

/** Commander's message in our form: `error: …` and a hint. */
function usageMessage(text: string, command: Command): string {
  const [, message = text, similar] = /^(.*?)(?:\n\(Did you mean (.*)\?\))?$/s.exec(text.trim()) ?? [];
  const help = `see ${command.parent ? 'mlp ' : ''}${command.name()} --help`;
  const unknown = /^error: unknown \w+ '(.*)'$/.exec(message)?.[1];
  // Commander takes --seed for --set.
  const isNear =
    similar &&
    (unknown === undefined || nearest(unknown, similar.replace('one of ', '').split(', ')) !== undefined);
  const isKey = unknown?.startsWith('--') && command.options.some(({ long }) => long === '--set');
  const meant = isNear
    ? `did you mean ${similar}? `
    : isKey
      ? '--set <key>=<value> sets a key of the config; '
      : '';
  return `${printable(message)}\nhint: ${meant}${help}\n`;
}
