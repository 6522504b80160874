/** The commands that prepare data and train. */
import { type Command, Option } from 'commander';
import { ENSEMBLE_METHODS, ENSEMBLE_METRICS, METHODS, PRESETS } from '../spec/words.js';
import { addOptions, definer, FORCE, lazy, OVERRIDES, RUN, TABLE, TABLES } from './commandParts.js';
import { collect, positiveInteger } from './options.js';

export function addTrainCommands(program: Command, name?: string): void {
  const define = definer(program, name);

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
    )?.argument('<data.csv...>', TABLES),
  )?.action(lazy(() => import('./inspect.js')));

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
      ?.argument('<data.csv...>', TABLES)
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
  )?.action(lazy(() => import('./init.js')));

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
    )?.argument('<config.json>', 'a train config; mlp init writes one'),
  )
    ?.option('--run <dir>', 'write the results to this directory (default: runs/<config name>-<n>)')
    .option('--from <run>', 'start from the weights and encodings of a run, or of a model file')
    .option('--resume <dir>', 'continue the run in this directory from its last checkpoint')
    .addOption(
      new Option(
        '--log <name>',
        'also log to tensorboard, event files in the run directory, or to mlflow=<address>; may be repeated',
      ).argParser(collect),
    )
    .option(
      '--ranks-simulated <n>',
      'divide each batch as n processes under mpirun would, in this one: the same bits',
      positiveInteger,
    )
    .option(
      '--allreduce',
      "under mpirun: sum gradients by the library's own collective, in an order of its choice",
    )
    .option('--gradcheck', 'first check gradients of the first batch; a wrong one ends it with exit code 1')
    .option('--no-report', 'write no report.html')
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
      ?.argument('<config.json>', 'a train config; mlp init writes one')
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
  )?.action(lazy(() => import('./crossvalidate.js')));

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
      ?.argument('<sweep.json>', 'a sweep; or a train config, with --space')
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
  )?.action(lazy(() => import('./sweep.js')));

  define(
    'repro',
    'train a run again and compare',
    'Train a run again, in memory only, and check that data, config and weights are the same.',
    ['mlp repro runs/iris-1', 'exit code 1 if anything differs'],
    ['mlp repro runs/iris-1 --json', 'both SHA-256 hashes of the weights'],
  )
    ?.argument('<run>', RUN)
    .action(lazy(() => import('./repro.js')));

  define(
    'runs',
    'compare runs',
    'Show runs in a table: their scores, and the settings in which they differ. The newest comes first.',
    ['mlp runs', 'all runs in the directory runs'],
    ['mlp runs --sort validation_loss', 'the best first'],
    ['mlp runs runs/study --json', 'those in another directory, as JSON'],
  )
    ?.argument('[dir...]', 'directories of runs, or runs (default: runs)')
    .option(
      '--sort <key>',
      'run, status, epochs, time, date, a score or a key of the config: the best, smallest or newest first',
    )
    .option('--reverse', 'turn the order around')
    .action(lazy(() => import('./runs.js')));

  define(
    'cache',
    'list or delete cached rows',
    'List the files that data.cache has written to a folder, and what they are of.',
    ['mlp cache', "those in the user's folder for caches"],
    ['mlp cache data/cache --clear', 'deletes those in data/cache'],
  )
    ?.argument('[dir]', 'the folder that data.cache names (default: that of "auto")')
    .option('--clear', 'delete them')
    .action(lazy(() => import('./cache.js')));

  define(
    'report',
    'write a page about runs',
    'Write a page about a run: what was trained, learning curves, scores, errors, data and network. It is one HTML file that needs no network. mlp train writes a shorter one at its end. Several runs, or a directory of runs, are compared; a study, a cross-validation and a graph for mlp gradcheck have pages of their own.',
    ['mlp report runs/iris-1', 'writes runs/iris-1/report.html'],
    ['mlp report runs/iris-1 runs/iris-2 -o a.html', 'compares two runs'],
    ['mlp report runs -o all.html', 'compares all runs'],
  )
    ?.argument('<dir...>', 'runs, or a study, a cross-validation, a directory of runs, a graph file')
    .option('-o, --output <file>', 'the file to write (default: report.html in the directory)')
    .addOption(FORCE)
    .action(lazy(() => import('./report.js')));

  define(
    'ensemble',
    'make one model of several',
    'Make one model of several runs, folds or trials: it averages their predictions. Trials of a study are chosen greedily, with replacement, by their validation rows; of other directories all are taken.',
    ['mlp ensemble runs/iris-cv-1 -o best', 'all folds of a cross-validation'],
    ['mlp ensemble runs/a runs/b -o best', 'these runs'],
    ['mlp ensemble runs/study -o best', 'trials of a sweep'],
  )
    ?.argument('<dir...>', 'runs, studies or cross-validations')
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
}
