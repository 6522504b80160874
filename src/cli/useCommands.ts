/** The commands that use a trained network, and those that explain and check. */
import { type Command, Option } from 'commander';
import { EXPORT_FORMATS } from '../spec/words.js';
import {
  addOptions,
  CSV,
  definer,
  FORCE,
  lazy,
  MODEL,
  NOTATION,
  RUN,
  THREADS,
  THRESHOLD,
} from './commandParts.js';
import {
  backendName,
  bigCount,
  collect,
  positiveInteger,
  probability,
  seed,
  thresholdGoal,
} from './options.js';

export function addUseCommands(program: Command, name?: string): void {
  const define = definer(program, name);

  program.commandsGroup('Use a trained network:');

  addOptions(
    [...NOTATION, THREADS],
    define(
      'evaluate',
      'score a trained network',
      'Score a trained network on all rows of a CSV file, or on the rows that its own run held out.',
      ['mlp evaluate runs/iris-1', 'held-out rows of the run'],
      ['mlp evaluate runs/iris-1 new.csv', 'all rows of new.csv'],
      ['mlp evaluate runs/iris-1 --split train --json', 'training rows, as JSON'],
    )
      ?.argument('<run>', MODEL)
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
          '--best-threshold <goal>',
          'with two classes: find the threshold that is best for these rows by f1, mcc, or cost=1:5, the cost of a false positive and of a false negative',
        ).argParser(thresholdGoal),
      )
      .option('--importance', "how much the loss of the run's rows grows where a column is shuffled")
      .option('--losses <file.csv>', 'write the loss of each row')
      .addOption(FORCE)
      .addOption(
        new Option(
          '--bad-rows <what>',
          'rows that cannot be read: error stops at the first; skip leaves them out (default: as in training)',
        ).choices(['error', 'skip']),
      ),
  )?.action(lazy(() => import('./evaluate.js')));

  addOptions(
    [...NOTATION, THREADS],
    define(
      'predict',
      'predict the target of every row',
      'Predict the target of every row of a CSV file. The output is CSV or, with --json, one JSON object per row.',
      ['mlp predict runs/iris-1 new.csv', 'prints CSV'],
      ['mlp predict runs/iris-1 new.csv --keep id -o out.csv', 'ids, predictions'],
      ['cat new.csv | mlp predict runs/iris-1 - --json', 'JSON lines'],
    )
      ?.argument('<run>', MODEL)
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
  )?.action(lazy(() => import('./predict.js')));

  define(
    'calibrate',
    'make probabilities as often right as they say',
    'Fit a temperature to the validation rows of a run, and keep it in its model: the logits are divided by it before they become probabilities. No prediction of a class changes.',
    ['mlp calibrate runs/iris-1', 'evaluate, predict and export use it'],
    ['mlp calibrate runs/iris-1 --json', 'the scores before and after'],
  )
    ?.argument('<run>', RUN)
    .action(lazy(() => import('./calibrate.js')));

  define(
    'export',
    'write a trained network for another program',
    'Write a trained network, with all that happens to the cells of a row before it, for another program. What was written is compared with the model on rows of the training file and on made-up rows.',
    ['mlp export runs/iris-1 --to onnx', 'writes iris-1.onnx'],
    ['mlp export runs/iris-1 --to js', 'writes iris-1.mjs and its types'],
  )
    ?.argument('<run>', MODEL)
    .addOption(
      new Option(
        '--to <format>',
        'what to write: onnx for onnxruntime and others; js, an ES module; numpy or pytorch, a Python script with its weights; npz, the weights alone',
      )
        .choices(EXPORT_FORMATS)
        .makeOptionMandatory(),
    )
    .option(
      '-o, --output <file>',
      'the file to write; - prints it (default: <name of the run> with the ending of the format, in this folder)',
    )
    .addOption(FORCE)
    .addOption(
      new Option(
        '--inputs <layout>',
        'of onnx: an input for each column, or a matrix of all (default: columns; a matrix for more than 100 columns of numbers)',
      ).choices(['columns', 'matrix']),
    )
    .option('--raw', 'of onnx: the network alone, which takes rows that are encoded already')
    .action(lazy(() => import('./export.js')));

  program.commandsGroup('Understand and check:');

  define(
    'params',
    'show layer sizes and count parameters',
    'Show the output size and the parameters of every layer, and the totals.',
    ['mlp params iris.json', 'sizes for a batch of 32'],
    ['mlp params iris.json --batch 1', 'sizes for a single row'],
    ['mlp params iris.json --max-params 10000', 'a limit for scripts'],
  )
    ?.argument('<spec.json>', 'a network spec or a train config')
    .option('--batch <n>', 'rows in a batch', positiveInteger, 32)
    .option('--max-params <n>', 'exit with 1 if there are more parameters than this', bigCount)
    .action(lazy(() => import('./params.js')));

  define(
    'gradcheck',
    'check gradients',
    'Compare three gradients: manual (from the file), analytic (backpropagation) and numeric (differences). Without a file, run all built-in checks.',
    ['mlp gradcheck', 'runs all built-in checks'],
    ['mlp gradcheck graph.json', 'grades a derivation by hand'],
    ['mlp gradcheck --exercise --seed 3', 'makes a graph to differentiate by hand'],
  )
    ?.argument('[file.json]', 'a graph with manual derivatives, or a train config')
    .option(
      '--tolerance <t>',
      'the relative error that a number or a formula by hand may have (default: 1e-4)',
      probability,
    )
    .option('--samples <n>', 'check this many elements of each parameter of a network', positiveInteger)
    .option(
      '--backend <name>',
      'compute a network with auto, reference, wasm, blas or native',
      backendName,
      'reference',
    )
    .option('--report <page.html>', 'also write a page with the graph drawn')
    .option('--latex', 'print the derivation of a graph as a LaTeX document')
    .option('--exercise', 'make a fresh graph file to differentiate by hand')
    .option('--seed <n>', 'which exercise: the same seed makes the same one (default: 0)', seed)
    .option('--solution', 'with the derivatives of the exercise')
    .option('-o, --output <file>', 'write the exercise to this file instead of standard output')
    .addOption(FORCE)
    .action(lazy(() => import('./gradcheck.js')));

  define(
    'doctor',
    "show this machine's features and speed",
    "Show this machine's processor, SIMD, BLAS libraries and speed, and what auto would choose.",
    ['mlp doctor', 'SIMD, BLAS libraries, threads and speed'],
    ['mlp doctor iris.json', 'backend and threads for this config'],
  )
    ?.argument('[config.json]', 'a train config, to see the choice for it')
    .action(lazy(() => import('./doctor.js')));

  define(
    'schema',
    'print the JSON Schema for editors',
    'Print the JSON Schema with which an editor checks and completes configs.',
    ['mlp schema > config.schema.json', 'for train configs'],
    ['mlp schema network > network.schema.json', 'for network specs'],
    ['mlp schema sweep > sweep.schema.json', 'for the files of mlp sweep'],
  )
    ?.argument('[kind]', 'config, network or sweep', 'config')
    .action(lazy(() => import('./schema.js')));
}
