/** mlp gradcheck: manual, analytic and numeric gradients side by side. */
import { ExitCode, MlpError } from '../errors.js';
import { type Check, checkGraph, type GradcheckResult } from '../gradcheck/check.js';
import { readGraph } from '../gradcheck/graphFile.js';
import type { Display } from '../report/style.js';
import { isObject, readJson } from '../spec/json.js';
import type { BackendName } from '../spec/words.js';
import { counted, formatCount, printable } from '../text.js';
import type { ExerciseOptions } from './exercise.js';
import { renderGraphCheck, renderSummary, renderTable } from './gradcheckText.js';
import type { CommonOptions } from './options.js';
import { note, print, toJson, warn } from './output.js';
import { explainSoftmax } from './softmaxText.js';
import { displayOf } from './terminal.js';

/** A longer check of a network is printed as a summary, unless it failed. */
const TABLE_ROWS = 40;

export interface GradcheckOptions extends CommonOptions, ExerciseOptions {
  readonly samples?: number;
  readonly tolerance?: number;
  readonly backend: 'auto' | BackendName;
  readonly exercise?: boolean;
  readonly latex?: boolean;
  readonly report?: string;
}

export async function run(path: string | undefined, options: GradcheckOptions): Promise<void> {
  requireConsistent(path, options);
  if (options.exercise) {
    const { writeExercise } = await import('./exercise.js');
    writeExercise(options);
    return;
  }
  const display = await displayOf(process.stdout, options.color);
  const pages = path === undefined ? await builtIn(options, display) : [await pageOf(path, options, display)];
  const checks = pages.map(({ check }) => check);
  const result: GradcheckResult = { passed: checks.every(({ passed }) => passed), checks };
  if (options.json) {
    print(toJson(result, 2));
  } else if (options.latex) {
    for (const { text } of pages) print(text ?? '');
  } else {
    for (const { check, text } of pages) print(text ?? renderSummary(check, display));
    print(`\n${verdict(checks, display)}`);
  }
  if (!result.passed) process.exitCode = ExitCode.checkFailed;
}

/** @throws MlpError ExitCode.usage for options that have no meaning together */
function requireConsistent(path: string | undefined, options: GradcheckOptions): void {
  const { exercise, solution, seed, output, latex, report, json } = options;
  if (latex && json) throw new MlpError(ExitCode.usage, 'found --latex and --json, expected one of them');
  if ((latex || report !== undefined) && path === undefined) {
    const found = latex ? '--latex' : '--report';
    throw new MlpError(ExitCode.usage, `found ${found} without a graph file, expected its path`);
  }
  if (exercise && path !== undefined) {
    const message = `found --exercise with ${printable(path)}, expected one of them`;
    throw new MlpError(ExitCode.usage, message, '-o names the file that an exercise is written to');
  }
  const alone = solution ? '--solution' : seed !== undefined ? '--seed' : output !== undefined ? '-o' : '';
  if (!exercise && alone !== '') throw new MlpError(ExitCode.usage, `found ${alone} without --exercise`);
}

function verdict(checks: readonly Check[], { style }: Display): string {
  const failed = checks.filter(({ passed }) => !passed).length;
  if (failed > 0) return style.bad(`${failed} of ${counted(checks.length, 'check')} failed`);
  return style.good(checks.length === 1 ? 'the check passed' : `all ${checks.length} checks passed`);
}

/** A check and its text; a summary line if there is none. */
interface Page {
  readonly check: Check;
  readonly text?: string;
}

// Only networks need the modules that read data; without them a graph takes half the time.
const loadNetworkChecks = () => import('../library/gradcheck.js');

/** Softmax in words and the homework's graph in full, then a line for each check. */
async function builtIn({ backend }: GradcheckOptions, display: Display): Promise<Page[]> {
  const { builtInChecks } = await loadNetworkChecks();
  const [{ check, derivation }, others] = builtInChecks(backend);
  const text = `${explainSoftmax(display.style)}\n${renderGraphCheck(check, derivation, display)}`;
  return [{ check, text }, ...others.map((check) => ({ check }))];
}

/** The check of a file: a graph, or the network of a train config. */
async function pageOf(path: string, options: GradcheckOptions, display: Display): Promise<Page> {
  const { value, text } = readJson(path);
  const keys = isObject(value) ? Object.keys(value) : [];
  if (keys.includes('network') || keys.includes('layers')) {
    const drawn = options.latex ? '--latex' : options.report === undefined ? undefined : '--report';
    if (drawn) throw new MlpError(ExitCode.usage, `${drawn}: found a network, expected a graph file`);
    const { checkConfig } = await loadNetworkChecks();
    const { check, plan, rows, backend } = await checkConfig(path, options);
    for (const warning of plan.warnings) warn(warning);
    note(
      `checking ${formatCount(check.parameters.length)} of ${formatCount(plan.parameters)} parameters on ${rows} training rows, ` +
        `in float64 with ${backend} kernels; --samples sets how many of each parameter`,
    );
    const summary = renderSummary(check, display);
    const isShort = check.parameters.length <= TABLE_ROWS || !check.passed;
    return { check, text: isShort ? `${renderTable(check, display)}\n\n${summary}` : summary };
  }
  const graph = readGraph(value, path, text);
  const { check, derivation } = checkGraph(graph, path, options.tolerance);
  if (options.report !== undefined) {
    const { writeGraphReport } = await import('./gradcheckReport.js');
    writeGraphReport(options.report, graph, { check, derivation }, options.force);
  }
  if (options.latex) {
    const { latexDocument } = await import('./gradcheckLatex.js');
    return { check, text: latexDocument(graph, check) };
  }
  return { check, text: renderGraphCheck(check, derivation, display) };
}
